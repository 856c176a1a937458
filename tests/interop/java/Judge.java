import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.Security;
import java.security.cert.*;
import java.time.Instant;
import java.util.*;
import java.util.regex.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.ess.*;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jcajce.PKIXExtendedBuilderParameters;
import org.bouncycastle.jcajce.PKIXExtendedParameters;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.*;
import org.bouncycastle.util.Store;
import org.bouncycastle.util.encoders.Hex;

/**
 * Bouncy Castle's opinion on certificates, revocation lists, CMS, time-stamps and signed PDF files, many in one run.
 *
 * java -cp … Judge jobs.tsv      prints one line per job: "ok LABEL TAB detail" or "FAIL LABEL TAB reason"; exit 1 if any failed
 *
 * A job is one line: label TAB verb TAB name=value TAB name=value … Files are DER. Names may be repeated. Verbs:
 *   chain  leaf= link=* anchor=+ crl=* at=          path at a moment (ISO 8601), with revocation where lists are given
 *   crl    crl= issuer= good=* revoked=*            signature of the list; certificates that are not, and are, on it
 *   cms    cms= content=? signers=? anchor=* crl=* at=   every SignerInfo, its certificate's path, its time-stamps
 *   pdf    pdf= signatures= anchor=* crl=* at=      the same for every signature field value, by its byte range
 *   token  token= content= anchor=* crl=* at=       RFC 3161 token over the content
 *   answer response= request= content= anchor=* at= RFC 3161 response to the request
 * With "anchor" given, the path of every signer is built and checked as well.
 */
public final class Judge {
    static final JcaX509CertificateConverter CONVERTER = new JcaX509CertificateConverter().setProvider("BC");
    static DigestCalculatorProvider digests;

    @SuppressWarnings("serial")
    static final class Refused extends Exception {
        Refused(String why) { super(why); }
    }

    static final class Job {
        final String label, verb;
        final Map<String, List<String>> arguments = new HashMap<>();

        Job(String line) {
            String[] fields = line.split("\t");
            label = fields[0];
            verb = fields[1];
            for (int i = 2; i < fields.length; i++) {
                String[] pair = fields[i].split("=", 2);
                arguments.computeIfAbsent(pair[0], name -> new ArrayList<>()).add(pair[1]);
            }
        }

        List<String> all(String name) { return arguments.getOrDefault(name, List.of()); }

        boolean has(String name) { return arguments.containsKey(name); }

        String one(String name) throws Refused {
            if (all(name).size() != 1) throw new Refused("the job must have one " + name);
            return all(name).get(0);
        }

        byte[] bytes(String name) throws Exception { return Files.readAllBytes(Paths.get(one(name))); }

        List<X509Certificate> certificates(String name) throws Exception {
            List<X509Certificate> out = new ArrayList<>();
            for (String file : all(name)) out.add(certificate(Files.readAllBytes(Paths.get(file))));
            return out;
        }

        List<X509CRL> crls() throws Exception {
            List<X509CRL> out = new ArrayList<>();
            for (String file : all("crl")) out.add(list(Files.readAllBytes(Paths.get(file))));
            return out;
        }

        Date at() throws Refused { return Date.from(Instant.parse(one("at"))); }
    }

    public static void main(String[] args) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        digests = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
        int failures = 0;
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            Job job = new Job(line);
            String answer;
            try {
                answer = "ok " + job.label + "\t" + run(job);
            } catch (Throwable error) {
                failures++;
                answer = "FAIL " + job.label + "\t" + reason(error);
            }
            System.out.println(answer.replace('\n', ' '));
        }
        System.exit(failures == 0 ? 0 : 1);
    }

    static String reason(Throwable error) {
        StringBuilder out = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause() == cause ? null : cause.getCause())
            out.append(out.length() == 0 ? "" : " <- ").append(cause.getClass().getSimpleName()).append(": ").append(cause.getMessage());
        return out.toString();
    }

    static String run(Job job) throws Exception {
        switch (job.verb) {
            case "chain": return path(job, certificate(job.bytes("leaf")), job.certificates("link"), job.at());
            case "crl": return crl(job);
            case "cms": return cms(job, job.bytes("cms"), job.has("content") ? job.bytes("content") : null);
            case "pdf": return pdf(job, job.bytes("pdf"));
            case "token": return token(job, new TimeStampToken(new CMSSignedData(job.bytes("token"))), job.bytes("content"));
            case "answer": return answer(job);
            default: throw new Refused("unknown verb " + job.verb);
        }
    }

    // Certificates and lists ------------------------------------------------------------------------------------------
    static X509Certificate certificate(byte[] der) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(new ByteArrayInputStream(der));
    }

    static X509CRL list(byte[] der) throws Exception {
        return (X509CRL) CertificateFactory.getInstance("X.509", "BC").generateCRL(new ByteArrayInputStream(der));
    }

    static String path(Job job, X509Certificate leaf, Collection<X509Certificate> links, Date at) throws Exception {
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509Certificate anchor : job.certificates("anchor")) anchors.add(new TrustAnchor(anchor, null));
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(leaf);
        List<Object> known = new ArrayList<>(links);
        known.add(leaf);
        List<X509CRL> crls = job.crls();
        known.addAll(crls);
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, target);
        parameters.setDate(at);
        parameters.setRevocationEnabled(!crls.isEmpty());
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(known), "BC"));
        CertPathParameters chosen = parameters;
        if (job.has("deltas")) {
            PKIXExtendedParameters.Builder extended = new PKIXExtendedParameters.Builder(parameters);
            chosen = new PKIXExtendedBuilderParameters.Builder(extended.setUseDeltasEnabled(true).build()).build();
        }
        CertPath path = CertPathBuilder.getInstance("PKIX", "BC").build(chosen).getCertPath();
        return "path of " + path.getCertificates().size() + " " + leaf.getSigAlgName() + (crls.isEmpty() ? "" : " not revoked");
    }

    static String crl(Job job) throws Exception {
        X509CRL crl = list(job.bytes("crl"));
        crl.verify(certificate(job.bytes("issuer")).getPublicKey(), "BC");
        for (X509Certificate good : job.certificates("good"))
            if (crl.isRevoked(good)) throw new Refused("listed: " + good.getSubjectX500Principal());
        for (X509Certificate bad : job.certificates("revoked"))
            if (!crl.isRevoked(bad)) throw new Refused("not listed: " + bad.getSubjectX500Principal());
        return crl.getSigAlgName();
    }

    // CMS -------------------------------------------------------------------------------------------------------------
    static String cms(Job job, byte[] der, byte[] content) throws Exception {
        CMSSignedData data = content == null ? new CMSSignedData(der) : new CMSSignedData(new CMSProcessableByteArray(content), der);
        StringBuilder out = new StringBuilder();
        int count = 0;
        for (SignerInformation signer : data.getSignerInfos()) {
            X509CertificateHolder holder = signerOf(data.getCertificates(), signer.getSID());
            if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder))) throw new Refused("the signature does not verify");
            essCertificate(signer, holder);
            out.append(count++ == 0 ? "" : "; ").append(signer.getDigestAlgOID()).append(' ').append(signer.getEncryptionAlgOID());
            if (job.has("anchor")) out.append(", ").append(path(job, CONVERTER.getCertificate(holder), links(data), job.at()));
            out.append(stamps(job, signer));
        }
        if (count != (job.has("signers") ? Integer.parseInt(job.one("signers")) : 1)) throw new Refused(count + " signers");
        return out.toString();
    }

    @SuppressWarnings("unchecked") // Bouncy Castle declares SignerId as a raw Selector
    static X509CertificateHolder signerOf(Store<X509CertificateHolder> store, SignerId id) throws Refused {
        Collection<X509CertificateHolder> found = store.getMatches(id);
        if (found.size() != 1) throw new Refused(found.size() + " certificates for the signer");
        return found.iterator().next();
    }

    static List<X509Certificate> links(CMSSignedData data) throws Exception {
        List<X509Certificate> out = new ArrayList<>();
        for (X509CertificateHolder holder : data.getCertificates().getMatches(null)) out.add(CONVERTER.getCertificate(holder));
        return out;
    }

    /** signing-certificate-v2 (RFC 5035) must be there, and name the certificate by digest, issuer and serial number. */
    static void essCertificate(SignerInformation signer, X509CertificateHolder holder) throws Exception {
        Attribute attribute = signer.getSignedAttributes() == null ? null : signer.getSignedAttributes().get(PKCSObjectIdentifiers.id_aa_signingCertificateV2);
        if (attribute == null) throw new Refused("no signing-certificate-v2");
        ESSCertIDv2 id = SigningCertificateV2.getInstance(attribute.getAttrValues().getObjectAt(0)).getCerts()[0];
        if (!Arrays.equals(digest(id.getHashAlgorithm(), holder.getEncoded()), id.getCertHash())) throw new Refused("signing-certificate-v2 names another certificate");
        IssuerSerial issuer = id.getIssuerSerial();
        if (issuer == null) return;
        X500Name name = X500Name.getInstance(issuer.getIssuer().getNames()[0].getName());
        if (!issuer.getSerial().hasValue(holder.getSerialNumber()) || !name.equals(holder.getIssuer())) throw new Refused("signing-certificate-v2 names another issuer");
    }

    static byte[] digest(AlgorithmIdentifier algorithm, byte[] data) throws Exception {
        DigestCalculator calculator = digests.get(algorithm);
        calculator.getOutputStream().write(data);
        return calculator.getDigest();
    }

    // Time-stamps -----------------------------------------------------------------------------------------------------
    static String stamps(Job job, SignerInformation signer) throws Exception {
        if (signer.getUnsignedAttributes() == null) return "";
        StringBuilder out = new StringBuilder();
        ASN1EncodableVector all = signer.getUnsignedAttributes().getAll(PKCSObjectIdentifiers.id_aa_signatureTimeStampToken);
        for (int i = 0; i < all.size(); i++) {
            byte[] der = Attribute.getInstance(all.get(i)).getAttrValues().getObjectAt(0).toASN1Primitive().getEncoded();
            out.append(", ").append(token(job, new TimeStampToken(new CMSSignedData(der)), signer.getSignature()));
        }
        return out.toString();
    }

    static String token(Job job, TimeStampToken token, byte[] content) throws Exception {
        X509CertificateHolder holder = signerOf(token.getCertificates(), token.getSID());
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder));
        TimeStampTokenInfo info = token.getTimeStampInfo();
        if (!Arrays.equals(digest(info.getHashAlgorithm(), content), info.getMessageImprintDigest())) throw new Refused("the imprint is of other data");
        String where = job.has("anchor") ? ", " + path(job, CONVERTER.getCertificate(holder), links(token.toCMSSignedData()), info.getGenTime()) : "";
        return "stamped " + info.getGenTime().toInstant() + " " + info.getMessageImprintAlgOID() + where;
    }

    static String answer(Job job) throws Exception {
        TimeStampResponse response = new TimeStampResponse(job.bytes("response"));
        response.validate(new TimeStampRequest(job.bytes("request")));
        return token(job, response.getTimeStampToken(), job.bytes("content"));
    }

    // PDF -------------------------------------------------------------------------------------------------------------
    static final Pattern BYTE_RANGE = Pattern.compile("/ByteRange\\s*\\[\\s*(\\d+)\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s*\\]");

    /** Every byte range in the file, as it stands in the octets: nothing is parsed but the range itself and the hexadecimal string in its gap. */
    static String pdf(Job job, byte[] file) throws Exception {
        Matcher range = BYTE_RANGE.matcher(new String(file, StandardCharsets.ISO_8859_1));
        StringBuilder out = new StringBuilder();
        int count = 0, end = 0;
        while (range.find()) {
            int first = Integer.parseInt(range.group(1)), length = Integer.parseInt(range.group(2));
            int second = Integer.parseInt(range.group(3)), rest = Integer.parseInt(range.group(4));
            end = second + rest;
            if (first != 0 || length >= second || end > file.length) throw new Refused("byte range " + range.group());
            if (file[length] != '<' || file[second - 1] != '>') throw new Refused("the gap is not one hexadecimal string");
            byte[] padded = Hex.decode(new String(file, length + 1, second - length - 2, StandardCharsets.ISO_8859_1));
            byte[] der = new ASN1InputStream(padded).readObject().getEncoded();
            byte[] content = Arrays.copyOf(file, length + rest);
            System.arraycopy(file, second, content, length, rest);
            out.append(count++ == 0 ? "" : "; ").append(cms(job, der, content));
        }
        if (count != Integer.parseInt(job.one("signatures"))) throw new Refused(count + " signatures in the file");
        if (end != file.length) throw new Refused("the last signature does not reach the end of the file");
        return out.toString();
    }
}
