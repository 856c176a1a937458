import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.file.*;
import java.security.*;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.*;
import java.time.Instant;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.Time;
import org.bouncycastle.asn1.ess.*;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.*;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.cert.jcajce.*;
import org.bouncycastle.cert.ocsp.*;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jcajce.spec.GOST3410ParameterSpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;
import org.bouncycastle.operator.jcajce.*;
import org.bouncycastle.tsp.*;

/**
 * Certificates, a revocation list, CMS and time-stamps made by Bouncy Castle, for us to verify.
 *
 * java -cp … Maker jobs.tsv      a job is: directory TAB kind TAB moment, or: directory TAB kind TAB moment TAB key.p8 TAB certificate.cer
 *
 * kind is one of the names in make(). Every directory holds content.bin and request.tsq (a time-stamp request). Written there: root.cer,
 * leaf.cer, gone.cer (on the list), tsa.cer, root.crl, leaf.p8, detached.p7s, attached.p7m, bare.p7s (no signed attributes), token.tst, answer.tsr,
 * ocsp.req (about leaf, gone and a number nobody issued), key.ors (by a delegate, named by key), name.ors (by the root, named by name).
 * With key and certificate given (PKCS#8 and X.509, DER) only detached.p7s is made, with that key.
 */
public final class Maker {
    static final SecureRandom RANDOM = new SecureRandom();

    final Path directory;
    final String signature;
    final AlgorithmIdentifier digest;
    final Date at;

    Maker(Path directory, String signature, String digest, Date at) {
        this.directory = directory;
        this.signature = signature;
        this.digest = new DefaultDigestAlgorithmIdentifierFinder().find(digest);
        this.at = at;
    }

    public static void main(String[] args) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] job = line.split("\t");
            make(Paths.get(job[0]), job[1], Date.from(Instant.parse(job[2])), job.length > 3 ? job : null);
            System.out.println("made " + line);
        }
    }

    static void make(Path directory, String kind, Date at, String[] given) throws Exception {
        switch (kind) {
            case "rsa": work(new Maker(directory, "SHA256withRSA", "SHA-256", at), "RSA", new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4), given); break;
            case "rsa-pss": work(new Maker(directory, "SHA256withRSAandMGF1", "SHA-256", at), "RSA", new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4), given); break;
            case "ecdsa-p256": work(new Maker(directory, "SHA256withECDSA", "SHA-256", at), "EC", new ECGenParameterSpec("secp256r1"), given); break;
            case "ecdsa-p384": work(new Maker(directory, "SHA384withECDSA", "SHA-384", at), "EC", new ECGenParameterSpec("secp384r1"), given); break;
            case "ecdsa-p521": work(new Maker(directory, "SHA512withECDSA", "SHA-512", at), "EC", new ECGenParameterSpec("secp521r1"), given); break;
            case "ecdsa-bp256": work(new Maker(directory, "SHA256withECDSA", "SHA-256", at), "EC", new ECGenParameterSpec("brainpoolP256r1"), given); break;
            case "ecdsa-bp384": work(new Maker(directory, "SHA384withECDSA", "SHA-384", at), "EC", new ECGenParameterSpec("brainpoolP384r1"), given); break;
            case "ecdsa-bp512": work(new Maker(directory, "SHA512withECDSA", "SHA-512", at), "EC", new ECGenParameterSpec("brainpoolP512r1"), given); break;
            case "ed25519": work(new Maker(directory, "Ed25519", "SHA-512", at), "Ed25519", null, given); break;
            case "ed448": work(new Maker(directory, "Ed448", "SHAKE256", at), "Ed448", null, given); break;
            case "sm2": work(new Maker(directory, "SM3withSM2", "SM3", at), "EC", new ECGenParameterSpec("sm2p256v1"), given); break;
            case "gost2012-256":
                work(new Maker(directory, "GOST3411-2012-256withECGOST3410-2012-256", "GOST3411-2012-256", at), "ECGOST3410-2012", new GOST3410ParameterSpec("Tc26-Gost-3410-12-256-paramSetA"), given);
                break;
            case "gost2012-512":
                work(new Maker(directory, "GOST3411-2012-512withECGOST3410-2012-512", "GOST3411-2012-512", at), "ECGOST3410-2012", new GOST3410ParameterSpec("Tc26-Gost-3410-12-512-paramSetA"), given);
                break;
            default: throw new IllegalArgumentException("unknown kind " + kind);
        }
    }

    static void work(Maker maker, String algorithm, AlgorithmParameterSpec parameters, String[] given) throws Exception {
        if (given == null) {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm, "BC");
            if (parameters != null) generator.initialize(parameters, RANDOM);
            maker.everything(generator);
        } else {
            PrivateKey key = BouncyCastleProvider.getPrivateKey(PrivateKeyInfo.getInstance(Files.readAllBytes(Paths.get(given[3]))));
            ByteArrayInputStream der = new ByteArrayInputStream(Files.readAllBytes(Paths.get(given[4])));
            X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(der);
            maker.write("detached.p7s", maker.cms(key, certificate, false, true));
        }
    }

    void write(String name, byte[] data) throws Exception { Files.write(directory.resolve(name), data); }

    ContentSigner signer(PrivateKey key) throws Exception { return new JcaContentSignerBuilder(signature).setProvider("BC").build(key); }

    void everything(KeyPairGenerator generator) throws Exception {
        KeyPair root = generator.generateKeyPair(), leaf = generator.generateKeyPair(), tsa = generator.generateKeyPair();
        X509Certificate rootCertificate = certificate(root, null, root.getPublic(), "CN=Foreign Root", KeyUsage.keyCertSign | KeyUsage.cRLSign, null);
        X509Certificate leafCertificate = certificate(root, rootCertificate, leaf.getPublic(), "CN=Foreign Signer", KeyUsage.digitalSignature | KeyUsage.nonRepudiation, null);
        X509Certificate gone = certificate(root, rootCertificate, leaf.getPublic(), "CN=Foreign Leaver", KeyUsage.digitalSignature | KeyUsage.nonRepudiation, null);
        X509Certificate tsaCertificate = certificate(root, rootCertificate, tsa.getPublic(), "CN=Foreign TSA", KeyUsage.digitalSignature, KeyPurposeId.id_kp_timeStamping);
        write("root.cer", rootCertificate.getEncoded());
        write("leaf.cer", leafCertificate.getEncoded());
        write("gone.cer", gone.getEncoded());
        write("tsa.cer", tsaCertificate.getEncoded());
        write("leaf.p8", leaf.getPrivate().getEncoded());
        write("root.crl", list(root, rootCertificate, gone));
        write("detached.p7s", cms(leaf.getPrivate(), leafCertificate, false, true));
        write("attached.p7m", cms(leaf.getPrivate(), leafCertificate, true, true));
        write("bare.p7s", cms(leaf.getPrivate(), leafCertificate, false, false));
        TimeStampTokenGenerator stamper = stamper(tsa, tsaCertificate);
        byte[] imprint = imprint(Files.readAllBytes(directory.resolve("content.bin")));
        TimeStampRequestGenerator asker = new TimeStampRequestGenerator();
        asker.setCertReq(true);
        write("token.tst", stamper.generate(asker.generate(digest.getAlgorithm(), imprint), new BigInteger(64, RANDOM), at).getEncoded());
        TimeStampResponseGenerator responder = new TimeStampResponseGenerator(stamper, TSPAlgorithms.ALLOWED);
        TimeStampRequest request = new TimeStampRequest(Files.readAllBytes(directory.resolve("request.tsq")));
        KeyPair delegate = generator.generateKeyPair();
        X509Certificate delegateCertificate = certificate(root, rootCertificate, delegate.getPublic(), "CN=Foreign OCSP", KeyUsage.digitalSignature, KeyPurposeId.id_kp_OCSPSigning);
        OCSPReq question = question(rootCertificate, leafCertificate.getSerialNumber(), gone.getSerialNumber(), new BigInteger(120, RANDOM));
        write("ocsp.req", question.getEncoded());
        DigestCalculator sha1 = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build().get(CertificateID.HASH_SHA1);
        RespID byKey = new RespID(SubjectPublicKeyInfo.getInstance(delegate.getPublic().getEncoded()), sha1);
        write("key.ors", status(question, byKey, delegate, delegateCertificate, gone));
        write("name.ors", status(question, new RespID(new JcaX509CertificateHolder(rootCertificate).getSubject()), root, null, gone));
        write("answer.tsr", responder.generate(request, new BigInteger(64, RANDOM), at).getEncoded());
    }

    OCSPReq question(X509Certificate issuer, BigInteger... serials) throws Exception {
        DigestCalculator calculator = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build().get(new AlgorithmIdentifier(digest.getAlgorithm()));
        OCSPReqBuilder builder = new OCSPReqBuilder();
        for (BigInteger serial : serials) builder.addRequest(new CertificateID(calculator, new JcaX509CertificateHolder(issuer), serial));
        Extension nonce = new Extension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, new DEROctetString(new DEROctetString(new byte[32]).getEncoded()));
        return builder.setRequestExtensions(new Extensions(nonce)).build();
    }

    byte[] status(OCSPReq question, RespID responder, KeyPair key, X509Certificate certificate, X509Certificate gone) throws Exception {
        BasicOCSPRespBuilder builder = new BasicOCSPRespBuilder(responder);
        Date next = Date.from(at.toInstant().plusSeconds(3600)), then = Date.from(at.toInstant().minusSeconds(7200));
        Req[] asked = question.getRequestList();
        builder.addResponse(asked[0].getCertID(), CertificateStatus.GOOD, at, next);
        builder.addResponse(asked[1].getCertID(), new RevokedStatus(then, CRLReason.keyCompromise), at, next);
        builder.addResponse(asked[2].getCertID(), new UnknownStatus(), at, next);
        builder.setResponseExtensions(new Extensions(question.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce)));
        X509CertificateHolder[] chain = certificate == null ? null : new X509CertificateHolder[] {new JcaX509CertificateHolder(certificate)};
        return new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL, builder.build(signer(key.getPrivate()), chain, at)).getEncoded();
    }

    byte[] imprint(byte[] content) throws Exception {
        DigestCalculator calculator = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build().get(digest);
        calculator.getOutputStream().write(content);
        return calculator.getDigest();
    }

    X509Certificate certificate(KeyPair issuer, X509Certificate issuerCertificate, PublicKey key, String name, int usage, KeyPurposeId purpose) throws Exception {
        boolean authority = issuerCertificate == null;
        X500Name issuerName = new X500Name(authority ? name : "CN=Foreign Root");
        Date from = Date.from(at.toInstant().minusSeconds(86400)), to = Date.from(at.toInstant().plusSeconds(365 * 86400L));
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(issuerName, new BigInteger(120, RANDOM), from, to, new X500Name(name), key);
        JcaX509ExtensionUtils identifiers = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        if (purpose == KeyPurposeId.id_kp_OCSPSigning) builder.addExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nocheck, false, DERNull.INSTANCE);
        if (purpose != null) builder.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(purpose));
        builder.addExtension(Extension.subjectKeyIdentifier, false, identifiers.createSubjectKeyIdentifier(key));
        if (!authority) builder.addExtension(Extension.authorityKeyIdentifier, false, identifiers.createAuthorityKeyIdentifier(issuerCertificate));
        return new JcaX509CertificateConverter().setProvider("BC").getCertificate(builder.build(signer(issuer.getPrivate())));
    }

    byte[] list(KeyPair issuer, X509Certificate issuerCertificate, X509Certificate revoked) throws Exception {
        X509v2CRLBuilder builder = new JcaX509v2CRLBuilder(issuerCertificate, Date.from(at.toInstant().minusSeconds(3600)));
        builder.setNextUpdate(Date.from(at.toInstant().plusSeconds(86400)));
        builder.addExtension(Extension.authorityKeyIdentifier, false, new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(issuerCertificate));
        builder.addExtension(Extension.cRLNumber, false, new CRLNumber(BigInteger.valueOf(7)));
        builder.addCRLEntry(revoked.getSerialNumber(), Date.from(at.toInstant().minusSeconds(7200)), CRLReason.keyCompromise);
        return builder.build(signer(issuer.getPrivate())).getEncoded();
    }

    byte[] cms(PrivateKey key, X509Certificate certificate, boolean attached, boolean attributes) throws Exception {
        JcaSignerInfoGeneratorBuilder builder = new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
        if (attributes) {
            ESSCertIDv2 id = new ESSCertIDv2(digest, imprint(certificate.getEncoded()));
            Map<ASN1ObjectIdentifier, Attribute> table = new HashMap<>();
            add(table, PKCSObjectIdentifiers.id_aa_signingCertificateV2, new SigningCertificateV2(new ESSCertIDv2[] {id}));
            add(table, CMSAttributes.signingTime, new Time(at));
            builder.setSignedAttributeGenerator(new DefaultSignedAttributeTableGenerator(new AttributeTable(new Hashtable<>(table))));
        } else {
            builder.setDirectSignature(true);
        }
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(builder.build(signer(key), certificate));
        generator.addCertificates(new JcaCertStore(List.of(certificate)));
        return generator.generate(new CMSProcessableByteArray(Files.readAllBytes(directory.resolve("content.bin"))), attached).getEncoded();
    }

    static void add(Map<ASN1ObjectIdentifier, Attribute> table, ASN1ObjectIdentifier oid, ASN1Encodable value) {
        table.put(oid, new Attribute(oid, new DERSet(value)));
    }

    TimeStampTokenGenerator stamper(KeyPair tsa, X509Certificate certificate) throws Exception {
        DigestCalculatorProvider calculators = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
        SignerInfoGenerator info = new JcaSignerInfoGeneratorBuilder(calculators).build(signer(tsa.getPrivate()), certificate);
        TimeStampTokenGenerator stamper = new TimeStampTokenGenerator(info, calculators.get(digest), new ASN1ObjectIdentifier("1.2.3.4.1"));
        stamper.addCertificates(new JcaCertStore(List.of(certificate)));
        return stamper;
    }
}
