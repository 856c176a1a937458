import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import javax.crypto.Cipher;
import javax.crypto.spec.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;

/**
 * Messages to keys that only encrypt, opened and made by Bouncy Castle: X25519, X448 and ML-KEM.
 *
 * java -cp … Kem jobs.tsv        a job is: open|make TAB message TAB key.p8 TAB cert.cer TAB content TAB way
 *
 * A way is a scheme and a content encryption (gcm, cbc), with a slash between; a scheme is hkdf with the digest, and +ukm. Prints one
 * line per job: "ok" or "FAIL", TAB message TAB reason.
 */
public final class Kem {
    static final byte[] UKM = "keying material".getBytes();

    public static void main(String[] args) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] job = line.split("\t", -1);
            try {
                boolean making = job[0].equals("make");
                X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509", "BC")
                    .generateCertificate(new FileInputStream(job[3]));
                byte[] in = Files.readAllBytes(Paths.get(making ? job[4] : job[1]));
                byte[] key = Files.readAllBytes(Paths.get(job[2]));
                Files.write(Paths.get(making ? job[1] : job[4]),
                    making ? make(in, certificate, job[5].split("/")) : open(in, key, certificate));
                System.out.println("ok\t" + job[1] + "\t");
            } catch (Exception | Error error) {
                Throwable cause = error;
                while (cause.getCause() != null) cause = cause.getCause();
                System.out.println("FAIL\t" + job[1] + "\t" + error + " " + cause);
            }
        }
    }

    static boolean agrees(X509Certificate certificate) {
        return certificate.getPublicKey().getAlgorithm().startsWith("X");
    }

    // Opening -----------------------------------------------------------------------------------------------------------
    static byte[] open(byte[] message, byte[] pkcs8, X509Certificate certificate) throws Exception {
        PrivateKey key = BouncyCastleProvider.getPrivateKey(PrivateKeyInfo.getInstance(pkcs8));
        RecipientId wanted = agrees(certificate) ? new JceKeyAgreeRecipientId(certificate) : new JceKEMRecipientId(certificate);
        ContentInfo whole = ContentInfo.getInstance(message);
        if (whole.getContentType().equals(CMSObjectIdentifiers.envelopedData)) {
            Recipient recipient = agrees(certificate) ? new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC")
                : new JceKEMEnvelopedRecipient(key).setProvider("BC");
            return new CMSEnvelopedData(whole).getRecipientInfos().get(wanted).getContent(recipient);
        }
        RecipientInformation found = new CMSAuthEnvelopedData(message).getRecipientInfos().get(wanted);
        if (agrees(certificate)) return found.getContent(new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC"));
        Extractor extractor = new Extractor(key);
        try {
            found.getContent(extractor.setProvider("BC"));
        } catch (CMSException reached) {
            if (extractor.found == null) throw reached;
        }
        AuthEnvelopedData body = AuthEnvelopedData.getInstance(whole.getContent());
        EncryptedContentInfo info = body.getAuthEncryptedContentInfo();
        GCMParameters parameters = GCMParameters.getInstance(info.getContentEncryptionAlgorithm().getParameters());
        Cipher gcm = Cipher.getInstance("AES/GCM/NoPadding", "BC");
        gcm.init(Cipher.DECRYPT_MODE, new SecretKeySpec(extractor.found.getEncoded(), "AES"),
            new GCMParameterSpec(8 * parameters.getIcvLen(), parameters.getNonce()));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(gcm.update(info.getEncryptedContent().getOctets()));
        out.write(gcm.doFinal(body.getMac().getOctets()));
        return out.toByteArray();
    }

    /** Takes the content key out of KEMRecipientInfo: its classes for it decrypt EnvelopedData only. */
    static final class Extractor extends JceKEMRecipient {
        Key found;

        Extractor(PrivateKey key) {
            super(key);
        }

        public RecipientOperator getRecipientOperator(AlgorithmIdentifier wrap, AlgorithmIdentifier content, byte[] encrypted)
            throws CMSException {
            found = extractSecretKey(wrap, content, encrypted);
            throw new CMSException("the content key is there");
        }
    }

    // Making ------------------------------------------------------------------------------------------------------------
    static byte[] make(byte[] content, X509Certificate certificate, String[] way) throws Exception {
        RecipientInfoGenerator recipient;
        String scheme = way[0].replace("+ukm", "");
        if (agrees(certificate)) {
            KeyPair pair = KeyPairGenerator.getInstance(certificate.getPublicKey().getAlgorithm(), "BC").generateKeyPair();
            JceKeyAgreeRecipientInfoGenerator made = new JceKeyAgreeRecipientInfoGenerator(agreement(scheme), pair.getPrivate(),
                pair.getPublic(), CMSAlgorithm.AES256_WRAP).addRecipient(certificate).setProvider("BC");
            recipient = way[0].endsWith("+ukm") ? made.setUserKeyingMaterial(UKM) : made;
        } else {
            recipient = new JceKEMRecipientInfoGenerator(certificate, CMSAlgorithm.AES256_WRAP).setKDF(new AlgorithmIdentifier(
                scheme.equals("hkdf256") ? PKCSObjectIdentifiers.id_alg_hkdf_with_sha256
                    : PKCSObjectIdentifiers.id_alg_hkdf_with_sha512)).setProvider("BC");
        }
        CMSProcessableByteArray data = new CMSProcessableByteArray(content);
        if (way[1].equals("cbc")) {
            CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient);
            return generator.generate(data, new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_CBC).setProvider("BC").build()).getEncoded();
        }
        CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(recipient);
        OutputEncryptor gcm = new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_GCM).setProvider("BC").build();
        return generator.generate(data, (OutputAEADEncryptor) gcm).getEncoded();
    }

    static ASN1ObjectIdentifier agreement(String scheme) {
        int number = scheme.endsWith("256") ? 19 : scheme.endsWith("384") ? 20 : 21;
        return new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3." + number);  // RFC 8418 2.2
    }
}
