import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.crypto.Cipher;
import javax.crypto.spec.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAESOAEPparams;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.agreement.ECVKOAgreement;
import org.bouncycastle.crypto.digests.*;
import org.bouncycastle.crypto.engines.*;
import org.bouncycastle.crypto.macs.*;
import org.bouncycastle.crypto.params.*;
import org.bouncycastle.crypto.util.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;

/**
 * Encrypted messages opened, and made, by Bouncy Castle.
 *
 * java -cp … Opener jobs.tsv        a job is: open|sm2|gost|make TAB message TAB key.p8 TAB cert.cer TAB content TAB way
 *
 * open: CMS of RSA and ECDH recipients by its own CMS classes. sm2: GB/T 35275 by its SM2 engine and SM4. gost: by its VKO, KExp15 and
 * CTR-ACPKM put together here from its block cipher and CMAC as R 1323565.1.025-2019 says. make: a message for the certificate;
 * way is a key encryption (oaep, old, ecdh) and a content encryption (gcm, gcm+attributes, cbc), with a slash between. For SM2 they are
 * der, c1c3c2, c1c2c3 or c1c3c2-04 … with 04 in front, and gm-cbc (GB/T 35275), cbc, gcm; for GOST kexp15 and kuznyechik or magma, or
 * rfc4490 and gost89, by its own CMS classes.
 * Prints one line per job: "ok" or "FAIL", TAB message TAB reason.
 */
public final class Opener {
    public static void main(String[] args) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] job = line.split("\t", -1);
            try {
                byte[] made = work(job);
                Files.write(Paths.get(job[0].equals("make") ? job[1] : job[4]), made);
                System.out.println("ok\t" + job[1] + "\t");
            } catch (Exception | Error error) {
                System.out.println("FAIL\t" + job[1] + "\t" + error);
            }
        }
    }

    static byte[] work(String[] job) throws Exception {
        byte[] key = Files.readAllBytes(Paths.get(job[2]));
        X509Certificate certificate = null;
        if (job[0].equals("open") || job[0].equals("make"))
            certificate = (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(new FileInputStream(job[3]));
        if (job[0].equals("make") && job[5].startsWith("kexp15/")) return exported(Files.readAllBytes(Paths.get(job[4])), certificate, job[5].endsWith("kuznyechik"));
        if (job[0].equals("make") && (job[5].startsWith("der/") || job[5].startsWith("c1"))) return chinese(Files.readAllBytes(Paths.get(job[4])), certificate, job[5].split("/"));
        if (job[0].equals("make")) return make(Files.readAllBytes(Paths.get(job[4])), certificate, job[5].split("/"));
        byte[] message = Files.readAllBytes(Paths.get(job[1]));
        switch (job[0]) {
            case "open": return open(message, key, certificate);
            case "sm2": return sm2(message, key);
            default: return gost(message, key);
        }
    }

    // RSA and ECDH ------------------------------------------------------------------------------------------------------
    static byte[] open(byte[] message, byte[] pkcs8, X509Certificate certificate) throws Exception {
        String kind = certificate.getPublicKey().getAlgorithm().equals("RSA") ? "RSA" : "EC";
        PrivateKey key = KeyFactory.getInstance(kind, "BC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        RecipientId wanted = kind.equals("RSA") ? new JceKeyTransRecipientId(certificate) : new JceKeyAgreeRecipientId(certificate);
        RecipientInformation found = new CMSAuthEnvelopedData(message).getRecipientInfos().get(wanted);
        if (kind.equals("RSA")) return found.getContent(new JceKeyTransAuthEnvelopedRecipient(key).setProvider("BC"));
        return found.getContent(new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC"));
    }

    static byte[] make(byte[] content, X509Certificate certificate, String[] way) throws Exception {
        RecipientInfoGenerator recipient;
        if (way[0].equals("ecdh")) {
            KeyPairGenerator pairs = KeyPairGenerator.getInstance("EC", "BC");
            pairs.initialize(((java.security.interfaces.ECPublicKey) certificate.getPublicKey()).getParams());
            KeyPair pair = pairs.generateKeyPair();
            recipient = new JceKeyAgreeRecipientInfoGenerator(CMSAlgorithm.ECDH_SHA256KDF, pair.getPrivate(), pair.getPublic(),
                CMSAlgorithm.AES256_WRAP).addRecipient(certificate).setProvider("BC");
        } else if (way[0].equals("oaep")) {
            AlgorithmIdentifier sha256 = new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256, DERNull.INSTANCE);
            AlgorithmIdentifier oaep = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, new RSAESOAEPparams(sha256,
                new AlgorithmIdentifier(PKCSObjectIdentifiers.id_mgf1, sha256), RSAESOAEPparams.DEFAULT_P_SOURCE_ALGORITHM));
            recipient = new JceKeyTransRecipientInfoGenerator(certificate, oaep).setProvider("BC");
        } else {
            recipient = new JceKeyTransRecipientInfoGenerator(certificate).setProvider("BC");
        }
        CMSProcessableByteArray data = new CMSProcessableByteArray(content);
        if (way[1].equals("cbc") || way[1].equals("gost89")) {
            CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient);
            ASN1ObjectIdentifier cipher = way[1].equals("cbc") ? CMSAlgorithm.AES256_CBC : CMSAlgorithm.GOST28147_GCFB;
            return generator.generate(data, new JceCMSContentEncryptorBuilder(cipher).setProvider("BC").build()).getEncoded();
        }
        CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
        if (way[1].endsWith("attributes")) {
            ASN1EncodableVector attributes = new ASN1EncodableVector();
            attributes.add(new Attribute(CMSAttributes.contentHint, new DERSet(new DERUTF8String("a contract"))));
            generator.setAuthenticatedAttributeGenerator(new SimpleAttributeTableGenerator(new AttributeTable(attributes)));
        }
        generator.addRecipientInfoGenerator(recipient);
        OutputEncryptor gcm = new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_GCM).setProvider("BC").build();
        return generator.generate(data, (OutputAEADEncryptor) gcm).getEncoded();
    }

    // SM2 ---------------------------------------------------------------------------------------------------------------
    static EnvelopedData body(byte[] message) throws Exception {
        return EnvelopedData.getInstance(ASN1TaggedObject.getInstance(ASN1Sequence.getInstance(message).getObjectAt(1)).getExplicitBaseObject());
    }

    static KeyTransRecipientInfo first(EnvelopedData body) {
        return KeyTransRecipientInfo.getInstance(RecipientInfo.getInstance(body.getRecipientInfos().getObjectAt(0)).getInfo());
    }

    static byte[] sm2(byte[] message, byte[] pkcs8) throws Exception {
        EnvelopedData body = body(message);
        ASN1Sequence cipher = ASN1Sequence.getInstance(first(body).getEncryptedKey().getOctets());
        ByteArrayOutputStream raw = new ByteArrayOutputStream();
        raw.write(4);
        for (int i = 0; i < 2; i++)
            raw.write(org.bouncycastle.util.BigIntegers.asUnsignedByteArray(32, ASN1Integer.getInstance(cipher.getObjectAt(i)).getValue()));
        for (int i = 2; i < 4; i++) raw.write(ASN1OctetString.getInstance(cipher.getObjectAt(i)).getOctets());
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        engine.init(false, PrivateKeyFactory.createKey(pkcs8));
        byte[] key = engine.processBlock(raw.toByteArray(), 0, raw.size());
        EncryptedContentInfo info = body.getEncryptedContentInfo();
        Cipher sm4 = Cipher.getInstance("SM4/CBC/PKCS5Padding", "BC");
        byte[] iv = ASN1OctetString.getInstance(info.getContentEncryptionAlgorithm().getParameters()).getOctets();
        sm4.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "SM4"), new IvParameterSpec(iv));
        return sm4.doFinal(info.getEncryptedContent().getOctets());
    }

    /** A message for SM2, its key and content by Bouncy Castle's engines, in the forms that are met in the field. */
    static byte[] chinese(byte[] content, X509Certificate certificate, String[] way) throws Exception {
        SecureRandom random = new SecureRandom();
        byte[] key = new byte[16], iv = new byte[way[1].equals("gcm") ? 12 : 16];
        random.nextBytes(key);
        random.nextBytes(iv);
        SM2Engine engine = new SM2Engine(way[0].startsWith("c1c2c3") ? SM2Engine.Mode.C1C2C3 : SM2Engine.Mode.C1C3C2);
        engine.init(true, new ParametersWithRandom(PublicKeyFactory.createKey(certificate.getPublicKey().getEncoded()), random));
        byte[] wrapped = engine.processBlock(key, 0, key.length);
        if (way[0].equals("der")) {
            ASN1EncodableVector parts = new ASN1EncodableVector();
            parts.add(new ASN1Integer(new java.math.BigInteger(1, Arrays.copyOfRange(wrapped, 1, 33))));
            parts.add(new ASN1Integer(new java.math.BigInteger(1, Arrays.copyOfRange(wrapped, 33, 65))));
            parts.add(new DEROctetString(Arrays.copyOfRange(wrapped, 65, 97)));
            parts.add(new DEROctetString(Arrays.copyOfRange(wrapped, 97, wrapped.length)));
            wrapped = new DERSequence(parts).getEncoded();
        } else if (!way[0].endsWith("04")) {
            wrapped = Arrays.copyOfRange(wrapped, 1, wrapped.length);
        }
        AlgorithmIdentifier sm2 = new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.156.10197.1.301.3"), DERNull.INSTANCE);
        boolean gcm = way[1].equals("gcm"), national = way[1].equals("gm-cbc");
        Cipher sm4 = Cipher.getInstance(gcm ? "SM4/GCM/NoPadding" : "SM4/CBC/PKCS5Padding", "BC");
        sm4.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "SM4"), gcm ? new GCMParameterSpec(128, iv) : new IvParameterSpec(iv));
        byte[] encrypted = sm4.doFinal(content), mac = null;
        if (gcm) {
            mac = Arrays.copyOfRange(encrypted, encrypted.length - 16, encrypted.length);
            encrypted = Arrays.copyOf(encrypted, encrypted.length - 16);
        }
        ASN1Encodable parameters = gcm ? new GCMParameters(iv, 16) : new DEROctetString(iv);
        AlgorithmIdentifier cipher = new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.156.10197.1.104." + (gcm ? "8" : "2")), parameters);
        return message(certificate, sm2, wrapped, cipher, encrypted, national, mac, null);
    }

    static byte[] message(X509Certificate certificate, AlgorithmIdentifier wrapping, byte[] wrapped, AlgorithmIdentifier cipher, byte[] encrypted,
            boolean national, byte[] mac, byte[] omac) throws Exception {
        IssuerAndSerialNumber holder = new IssuerAndSerialNumber(org.bouncycastle.asn1.x509.Certificate.getInstance(certificate.getEncoded()));
        ASN1Set recipients = new DERSet(new RecipientInfo(new KeyTransRecipientInfo(new RecipientIdentifier(holder), wrapping, new DEROctetString(wrapped))));
        String gm = "1.2.156.10197.6.1.4.2.";
        ASN1ObjectIdentifier data = national ? new ASN1ObjectIdentifier(gm + "1") : CMSObjectIdentifiers.data;
        EncryptedContentInfo info = new EncryptedContentInfo(data, cipher, new BEROctetString(encrypted, 4096));
        if (mac != null)
            return new ContentInfo(CMSObjectIdentifiers.authEnvelopedData, new AuthEnvelopedData(null, recipients, info, null, new DEROctetString(mac), null)).getEncoded();
        ASN1Set attributes = omac == null ? null
            : new BERSet(new Attribute(new ASN1ObjectIdentifier("1.2.643.7.1.0.6.1.1"), new DERSet(new DEROctetString(omac))));
        EnvelopedData body = new EnvelopedData(null, recipients, info, attributes);
        return new ContentInfo(national ? new ASN1ObjectIdentifier(gm + "3") : CMSObjectIdentifiers.envelopedData, body).getEncoded();
    }

    // GOST --------------------------------------------------------------------------------------------------------------
    /** A message for GOST by KExp15 and CTR-ACPKM with OMAC (R 1323565.1.025-2019). */
    static byte[] exported(byte[] content, X509Certificate certificate, boolean kuznyechik) throws Exception {
        SecureRandom random = new SecureRandom();
        byte[] key = new byte[32], ukm = new byte[32], seed = new byte[kuznyechik ? 16 : 12];
        random.nextBytes(key);
        random.nextBytes(ukm);
        random.nextBytes(seed);
        SubjectPublicKeyInfo theirs = SubjectPublicKeyInfo.getInstance(certificate.getPublicKey().getEncoded());
        AsymmetricKeyParameter recipient = PublicKeyFactory.createKey(theirs);
        org.bouncycastle.crypto.generators.ECKeyPairGenerator pairs = new org.bouncycastle.crypto.generators.ECKeyPairGenerator();
        pairs.init(new ECKeyGenerationParameters(((ECKeyParameters) recipient).getParameters(), random));
        org.bouncycastle.crypto.AsymmetricCipherKeyPair pair = pairs.generateKeyPair();
        byte[] keys = keg(pair.getPrivate(), recipient, ukm);
        byte[] iv = Arrays.copyOfRange(ukm, 24, 24 + (kuznyechik ? 8 : 4));
        byte[] covered = Arrays.copyOf(iv, iv.length + 32);
        System.arraycopy(key, 0, covered, iv.length, 32);
        byte[] mac = cmac(kuznyechik, Arrays.copyOf(keys, 32), covered), both = Arrays.copyOf(key, 32 + mac.length);
        System.arraycopy(mac, 0, both, 32, mac.length);
        byte[] wrapped = acpkm(kuznyechik, Arrays.copyOfRange(keys, 32, 64), iv, both, Integer.MAX_VALUE);
        ASN1EncodableVector transport = new ASN1EncodableVector();
        transport.add(new DEROctetString(wrapped));
        transport.add(new SubjectPublicKeyInfo(theirs.getAlgorithm(), new DEROctetString(littleEndian(((ECPublicKeyParameters) pair.getPublic()).getQ()))));
        transport.add(new DEROctetString(ukm));
        boolean wide = ((ECKeyParameters) recipient).getParameters().getCurve().getFieldSize() > 256;
        AlgorithmIdentifier wrapping = new AlgorithmIdentifier(new ASN1ObjectIdentifier(kuznyechik ? "1.2.643.7.1.1.7.2.1" : "1.2.643.7.1.1.7.1.1"),
            new DERSequence(new ASN1ObjectIdentifier("1.2.643.7.1.1.6." + (wide ? "2" : "1"))));
        int half = kuznyechik ? 8 : 4;
        byte[] two = tree(key, Arrays.copyOfRange(seed, half, half + 8));
        byte[] code = cmac(kuznyechik, Arrays.copyOfRange(two, 32, 64), content), all = Arrays.copyOf(content, content.length + code.length);
        System.arraycopy(code, 0, all, content.length, code.length);
        byte[] encrypted = acpkm(kuznyechik, Arrays.copyOf(two, 32), Arrays.copyOf(seed, half), all, kuznyechik ? 262144 : 8192);
        AlgorithmIdentifier cipher = new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.643.7.1.1.5." + (kuznyechik ? "2" : "1") + ".2"),
            new DERSequence(new DEROctetString(seed)));
        return message(certificate, wrapping, new DERSequence(transport).getEncoded(), cipher, Arrays.copyOf(encrypted, content.length), false, null,
            Arrays.copyOfRange(encrypted, content.length, encrypted.length));
    }

    /** A point as RFC 9215 4.3 has it: both coordinates with the least octet first. */
    static byte[] littleEndian(org.bouncycastle.math.ec.ECPoint point) {
        byte[] x = point.normalize().getAffineXCoord().getEncoded(), y = point.normalize().getAffineYCoord().getEncoded();
        byte[] out = Arrays.copyOf(x, x.length + y.length);
        System.arraycopy(y, 0, out, x.length, y.length);
        turn(out, 0, x.length);
        turn(out, x.length, y.length);
        return out;
    }

    static byte[] gost(byte[] message, byte[] pkcs8) throws Exception {
        EnvelopedData body = body(message);
        KeyTransRecipientInfo recipient = first(body);
        boolean wide = recipient.getKeyEncryptionAlgorithm().getAlgorithm().getId().equals("1.2.643.7.1.1.7.2.1");
        ASN1Sequence transport = ASN1Sequence.getInstance(recipient.getEncryptedKey().getOctets());
        byte[] exported = ASN1OctetString.getInstance(transport.getObjectAt(0)).getOctets();
        byte[] ukm = ASN1OctetString.getInstance(transport.getObjectAt(2)).getOctets();
        AsymmetricKeyParameter ephemeral = PublicKeyFactory.createKey(SubjectPublicKeyInfo.getInstance(transport.getObjectAt(1)));
        byte[] keys = keg(PrivateKeyFactory.createKey(pkcs8), ephemeral, ukm);
        byte[] key = imported(wide, exported, keys, ukm);
        EncryptedContentInfo info = body.getEncryptedContentInfo();
        boolean kuznyechik = info.getContentEncryptionAlgorithm().getAlgorithm().getId().equals("1.2.643.7.1.1.5.2.2");
        byte[] seed = ASN1OctetString.getInstance(ASN1Sequence.getInstance(info.getContentEncryptionAlgorithm().getParameters()).getObjectAt(0)).getOctets();
        int half = kuznyechik ? 8 : 4;
        byte[] two = tree(key, Arrays.copyOfRange(seed, half, half + 8));
        Attribute attribute = Attribute.getInstance(body.getUnprotectedAttrs().getObjectAt(0));
        byte[] mac = ASN1OctetString.getInstance(attribute.getAttrValues().getObjectAt(0)).getOctets();
        byte[] content = info.getEncryptedContent().getOctets();
        byte[] all = Arrays.copyOf(content, content.length + mac.length);
        System.arraycopy(mac, 0, all, content.length, mac.length);
        byte[] plain = acpkm(kuznyechik, Arrays.copyOf(two, 32), Arrays.copyOf(seed, half), all, kuznyechik ? 262144 : 8192);
        byte[] text = Arrays.copyOf(plain, content.length);
        byte[] expected = cmac(kuznyechik, Arrays.copyOfRange(two, 32, 64), text);
        if (!MessageDigest.isEqual(expected, Arrays.copyOfRange(plain, content.length, plain.length))) throw new Exception("OMAC differs");
        return text;
    }

    static BlockCipher cipher(boolean kuznyechik) { return kuznyechik ? new GOST3412_2015Engine() : new Magma(); }

    /** GOST R 34.12-2015 "Magma": GOST 28147-89 with the S-box of TC26 and its octets the other way round. */
    static final class Magma implements BlockCipher {
        private final GOST28147Engine engine = new GOST28147Engine();

        public void init(boolean encrypt, org.bouncycastle.crypto.CipherParameters parameters) {
            byte[] key = ((KeyParameter) parameters).getKey();
            for (int i = 0; i < 32; i += 4) turn(key, i, 4);
            engine.init(encrypt, new ParametersWithSBox(new KeyParameter(key), GOST28147Engine.getSBox("Param-Z")));
        }
        public String getAlgorithmName() { return "Magma"; }
        public int getBlockSize() { return 8; }
        public int processBlock(byte[] in, int inOff, byte[] out, int outOff) {
            byte[] block = Arrays.copyOfRange(in, inOff, inOff + 8);
            turn(block, 0, 8);
            engine.processBlock(block, 0, block, 0);
            turn(block, 0, 8);
            System.arraycopy(block, 0, out, outOff, 8);
            return 8;
        }
        public void reset() { engine.reset(); }
    }

    static void turn(byte[] octets, int from, int count) {
        for (int i = 0; i < count / 2; i++) {
            byte kept = octets[from + i];
            octets[from + i] = octets[from + count - 1 - i];
            octets[from + count - 1 - i] = kept;
        }
    }

    /** R 1323565.1.020-2018 6.4.5.1. */
    static byte[] keg(AsymmetricKeyParameter mine, AsymmetricKeyParameter theirs, byte[] ukm) {
        byte[] number = Arrays.copyOf(ukm, 16);
        turn(number, 0, 16);
        boolean long_ = ((ECKeyParameters) mine).getParameters().getCurve().getFieldSize() > 256;
        ECVKOAgreement vko = new ECVKOAgreement(long_ ? new GOST3411_2012_512Digest() : new GOST3411_2012_256Digest());
        vko.init(new ParametersWithUKM(mine, number));
        byte[] shared = vko.calculateAgreement(theirs);
        return long_ ? shared : tree(shared, Arrays.copyOfRange(ukm, 16, 24));
    }

    static byte[] tree(byte[] key, byte[] seed) {
        byte[] out = new byte[64];
        for (int i = 1; i <= 2; i++) {
            HMac mac = new HMac(new GOST3411_2012_256Digest());
            mac.init(new KeyParameter(key));
            mac.update((byte) i);
            mac.update("kdf tree".getBytes(), 0, 8);
            mac.update((byte) 0);
            mac.update(seed, 0, 8);
            mac.update((byte) 2);
            mac.update((byte) 0);
            mac.doFinal(out, 32 * (i - 1));
        }
        return out;
    }

    /** KImp15, R 1323565.1.017-2018 4.2.1. */
    static byte[] imported(boolean kuznyechik, byte[] exported, byte[] keys, byte[] ukm) throws Exception {
        byte[] iv = Arrays.copyOfRange(ukm, 24, 24 + (kuznyechik ? 8 : 4));
        byte[] both = acpkm(kuznyechik, Arrays.copyOfRange(keys, 32, 64), iv, exported, Integer.MAX_VALUE);
        byte[] covered = Arrays.copyOf(iv, iv.length + 32);
        System.arraycopy(both, 0, covered, iv.length, 32);
        byte[] mac = cmac(kuznyechik, Arrays.copyOf(keys, 32), covered);
        if (!MessageDigest.isEqual(mac, Arrays.copyOfRange(both, 32, both.length))) throw new Exception("the exported key is broken");
        return Arrays.copyOf(both, 32);
    }

    static byte[] cmac(boolean kuznyechik, byte[] key, byte[] data) {
        CMac mac = new CMac(cipher(kuznyechik), kuznyechik ? 128 : 64);
        mac.init(new KeyParameter(key));
        mac.update(data, 0, data.length);
        byte[] out = new byte[mac.getMacSize()];
        mac.doFinal(out, 0);
        return out;
    }

    /** R 1323565.1.017-2018 4.1: counter mode whose key is replaced after every section. */
    static byte[] acpkm(boolean kuznyechik, byte[] key, byte[] iv, byte[] data, int section) {
        BlockCipher engine = cipher(kuznyechik);
        int block = engine.getBlockSize();
        engine.init(true, new KeyParameter(key));
        byte[] counter = Arrays.copyOf(iv, block), gamma = new byte[block], out = new byte[data.length];
        for (int at = 0; at < data.length; at++) {
            if (at > 0 && at % section == 0) {
                byte[] next = new byte[32];
                for (int i = 0; i < 32; i++) next[i] = (byte) (0x80 + i);
                for (int i = 0; i < 32; i += block) engine.processBlock(next, i, next, i);
                engine.init(true, new KeyParameter(next));
            }
            if (at % block == 0) {
                engine.processBlock(counter, 0, gamma, 0);
                for (int i = block - 1; i >= iv.length && ++counter[i] == 0; i--) { }
            }
            out[at] = (byte) (data[at] ^ gamma[at % block]);
        }
        return out;
    }
}
