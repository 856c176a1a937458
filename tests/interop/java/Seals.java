import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.SignedData;
import org.bouncycastle.asn1.tsp.TSTInfo;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.crypto.CipherParameters;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.util.encoders.Hex;

/**
 * Bouncy Castle reads electronic seals from the ASN.1 of the standards alone, and writes some.
 *
 * java -cp … Seals judge jobs.tsv        a job is LABEL TAB (seal|signature) TAB FILE; prints "ok LABEL TAB what it says" or
 *                                        "FAIL LABEL TAB reason"
 * java -cp … Seals make DIR maker.p8 maker.cer owner.p8 owner.cer picture     writes seal-N.der and signature-N.der, N = 1, 4, 5
 *
 * GM/T 0031-2014 6, GB/T 38540-2020 6 and 7, GM/T 0031-2025. Every member must be of its type, and none may be left over.
 * SM2 values are computed here by the light-weight signer with SM3 and the identifier 1234567812345678.
 */
public final class Seals {
    static final ASN1ObjectIdentifier SM2_WITH_SM3 = new ASN1ObjectIdentifier("1.2.156.10197.1.501");
    static final byte[] ID = "1234567812345678".getBytes(StandardCharsets.US_ASCII);

    public static void main(String[] args) throws Exception {
        if (args[0].equals("judge")) judge(args[1]);
        else make(args);
    }

    // Judging ---------------------------------------------------------------------------------------------------------
    static void judge(String jobs) throws Exception {
        for (String line : Files.readAllLines(Paths.get(jobs))) {
            String[] job = line.split("\t");
            String answer;
            try {
                byte[] data = Files.readAllBytes(Paths.get(job[2]));
                Map<String, String> said = new TreeMap<>();
                if (job[1].equals("seal")) seal(members(whole(data)), said);
                else signature(members(whole(data)), said);
                answer = "ok " + job[0] + "\t" + said;
            } catch (Throwable error) {
                answer = "FAIL " + job[0] + "\t" + error;
            }
            System.out.println(answer.replace('\n', ' '));
        }
    }

    /** Returns the value, whose DER must be the very octets of the file. */
    static ASN1Primitive whole(byte[] data) throws Exception {
        ASN1Primitive value = ASN1Primitive.fromByteArray(data);
        if (!Arrays.equals(value.getEncoded(ASN1Encoding.DER), data)) throw new Exception("not DER");
        return value;
    }

    static Iterator<ASN1Encodable> members(Object value) {
        return ((ASN1Sequence) value).iterator();
    }

    static void end(Iterator<ASN1Encodable> members) throws Exception {
        if (members.hasNext()) throw new Exception("left over: " + members.next());
    }

    static byte[] certificateBytes(Object value) {
        return ((ASN1OctetString) value).getOctets();
    }

    static byte[] bits(Object value) {
        return ((ASN1BitString) value).getOctets();
    }

    static byte[] der(Object value) throws Exception {
        return ((ASN1Primitive) value).getEncoded(ASN1Encoding.DER);
    }

    /** Reads SESeal and verifies the maker's value; returns the certificates, or digests of them, that may use it. */
    static List<byte[]> seal(Iterator<ASN1Encodable> seal, Map<String, String> said) throws Exception {
        ASN1Sequence info = (ASN1Sequence) seal.next();
        Object next = seal.next();
        boolean early = next instanceof ASN1Sequence;
        Iterator<ASN1Encodable> signed = early ? members(next) : seal;
        ASN1OctetString maker = (ASN1OctetString) (early ? signed.next() : next);
        ASN1ObjectIdentifier algorithm = (ASN1ObjectIdentifier) signed.next();
        byte[] value = bits(signed.next());
        byte[] message = early ? new DERSequence(new ASN1Encodable[] {info, maker, algorithm}).getEncoded() : der(info);
        verify(maker.getOctets(), algorithm, value, message);
        if (early) end(signed);
        else if (seal.hasNext()) stamp(seal.next(), value, said, "seal stamp");
        end(seal);

        Iterator<ASN1Encodable> members = info.iterator();
        Iterator<ASN1Encodable> header = members(members.next());
        if (!((ASN1IA5String) header.next()).getString().equals("ES")) throw new Exception("the header is not ES");
        int version = ((ASN1Integer) header.next()).intValueExact();
        if (early ? version != 1 : version != 4 && version != 5) throw new Exception("version " + version);
        said.put("version", "" + version);
        said.put("vendor", ((ASN1IA5String) header.next()).getString());
        end(header);
        said.put("number", ((ASN1IA5String) members.next()).getString());
        Iterator<ASN1Encodable> property = members(members.next());
        said.put("type", "" + ((ASN1Integer) property.next()).intValueExact());
        said.put("name", ((ASN1UTF8String) property.next()).getString());
        int kind = early ? 1 : ((ASN1Integer) property.next()).intValueExact();
        List<byte[]> listed = new ArrayList<>();
        for (ASN1Encodable entry : (ASN1Sequence) property.next()) {
            if (kind == 1) {
                listed.add(certificateBytes(entry));
            } else if (kind == 2) {
                Iterator<ASN1Encodable> pair = members(entry);
                said.put("digest type", ((ASN1PrintableString) pair.next()).getString());
                listed.add(certificateBytes(pair.next()));
                end(pair);
            } else {
                throw new Exception("list of kind " + kind);
            }
        }
        said.put("listed", kind + " " + listed.size());
        for (String name : new String[] {"created", "from", "to"}) {
            ASN1Encodable time = property.next();
            said.put(name, early ? ((ASN1UTCTime) time).getAdjustedTime() : ((ASN1GeneralizedTime) time).getTime());
        }
        end(property);
        Iterator<ASN1Encodable> picture = members(members.next());
        said.put("picture", ((ASN1IA5String) picture.next()).getString());
        said.put("picture octets", "" + certificateBytes(picture.next()).length);
        said.put("size", ((ASN1Integer) picture.next()).intValueExact() + "x" + ((ASN1Integer) picture.next()).intValueExact());
        end(picture);
        if (members.hasNext()) extensions(members.next(), said, "seal extensions");
        end(members);
        return listed;
    }

    static void extensions(Object value, Map<String, String> said, String label) throws Exception {
        StringBuilder found = new StringBuilder();
        for (ASN1Encodable entry : (ASN1Sequence) value) {
            Iterator<ASN1Encodable> members = members(entry);
            found.append(((ASN1ObjectIdentifier) members.next()).getId());
            Object next = members.next();
            if (next instanceof ASN1Boolean) {
                if (!((ASN1Boolean) next).isTrue()) throw new Exception("a DEFAULT is written");
                found.append(" critical");
                next = members.next();
            }
            found.append(' ').append(Hex.toHexString(certificateBytes(next))).append(';');
            end(members);
        }
        said.put(label, found.toString());
    }

    static void signature(Iterator<ASN1Encodable> signature, Map<String, String> said) throws Exception {
        ASN1Sequence tbs = (ASN1Sequence) signature.next();
        Iterator<ASN1Encodable> members = tbs.iterator();
        int version = ((ASN1Integer) members.next()).intValueExact();
        List<byte[]> listed = seal(members(members.next()), said);
        if (!said.get("version").equals("" + version)) throw new Exception("version " + version);
        boolean early = version == 1;
        byte[] time = early ? bits(members.next()) : null;
        said.put("time", early
            ? ((ASN1UTCTime) ASN1Primitive.fromByteArray(time)).getAdjustedTime()
            : ((ASN1GeneralizedTime) members.next()).getTime());
        said.put("hash", Hex.toHexString(bits(members.next())));
        said.put("property", ((ASN1IA5String) members.next()).getString());
        if (!early && members.hasNext()) {
            ASN1TaggedObject tagged = (ASN1TaggedObject) members.next();
            extensions(explicit(tagged), said, "extensions");
        }
        Iterator<ASN1Encodable> named = early ? members : signature;
        byte[] certificate = certificateBytes(named.next());
        ASN1ObjectIdentifier algorithm = (ASN1ObjectIdentifier) named.next();
        end(members);
        byte[] value = bits(signature.next());
        verify(certificate, algorithm, value, der(tbs));
        if (signature.hasNext()) stamp(signature.next(), value, said, "stamp");
        end(signature);
        for (byte[] entry : listed)
            if (Arrays.equals(entry, certificate) || Arrays.equals(entry, sm3(certificate))) return;
        throw new Exception("the signer is not listed");
    }

    static ASN1Primitive explicit(ASN1TaggedObject tagged) throws Exception {
        if (tagged.getTagNo() != 0 || !tagged.isExplicit()) throw new Exception("not [0] EXPLICIT");
        return tagged.getBaseObject().toASN1Primitive();
    }

    /** Reads timeStamp [0] EXPLICIT BIT STRING and compares its imprint with the SM3 of the signature value. */
    static void stamp(Object value, byte[] over, Map<String, String> said, String label) throws Exception {
        byte[] token = bits(explicit((ASN1TaggedObject) value));
        SignedData signed = SignedData.getInstance(ContentInfo.getInstance(token).getContent());
        TSTInfo info = TSTInfo.getInstance(((ASN1OctetString) signed.getEncapContentInfo().getContent()).getOctets());
        if (!Arrays.equals(info.getMessageImprint().getHashedMessage(), sm3(over))) throw new Exception("the time-stamp is over something else");
        said.put(label, info.getGenTime().getTime());
    }

    static byte[] sm3(byte[] data) {
        SM3Digest digest = new SM3Digest();
        byte[] out = new byte[32];
        digest.update(data, 0, data.length);
        digest.doFinal(out, 0);
        return out;
    }

    static void verify(byte[] certificate, ASN1ObjectIdentifier algorithm, byte[] value, byte[] message) throws Exception {
        if (!algorithm.equals(SM2_WITH_SM3)) throw new Exception("algorithm " + algorithm);
        SubjectPublicKeyInfo key = Certificate.getInstance(certificate).getSubjectPublicKeyInfo();
        SM2Signer signer = new SM2Signer();
        signer.init(false, new ParametersWithID(PublicKeyFactory.createKey(key), ID));
        signer.update(message, 0, message.length);
        if (!signer.verifySignature(value)) throw new Exception("the value does not verify");
    }

    // Making ----------------------------------------------------------------------------------------------------------
    static void make(String[] args) throws Exception {
        byte[][] files = new byte[args.length][];
        for (int i = 2; i < args.length; i++) files[i] = Files.readAllBytes(Paths.get(args[i]));
        for (int version : new int[] {1, 4, 5}) {
            DERSequence seal = makeSeal(version, files[2], files[3], files[5], files[6]);
            Files.write(Paths.get(args[1], "seal-" + version + ".der"), seal.getEncoded());
            Files.write(Paths.get(args[1], "signature-" + version + ".der"), makeSignature(version, seal, files[4], files[5]).getEncoded());
        }
    }

    static ASN1Encodable time(int version, String text) {
        return version == 1 ? new DERUTCTime(text) : new DERGeneralizedTime("20" + text);
    }

    static DERSequence makeSeal(int version, byte[] key, byte[] maker, byte[] owner, byte[] picture) throws Exception {
        ASN1EncodableVector property = new ASN1EncodableVector();
        property.add(new ASN1Integer(4));
        property.add(new DERUTF8String("合同专用章"));
        if (version != 1) property.add(new ASN1Integer(1));
        property.add(new DERSequence(new DEROctetString(owner)));
        for (String text : new String[] {"261121100000Z", "261121000000Z", "271121000000Z"}) property.add(time(version, text));
        ASN1Encodable[] extension = {new ASN1ObjectIdentifier("1.2.3.4"), ASN1Boolean.TRUE, new DEROctetString(new byte[] {1, 2})};
        DERSequence info = new DERSequence(new ASN1Encodable[] {
            new DERSequence(new ASN1Encodable[] {new DERIA5String("ES"), new ASN1Integer(version), new DERIA5String("BC")}),
            new DERIA5String("4711"),
            new DERSequence(property),
            new DERSequence(new ASN1Encodable[] {new DERIA5String("PNG"), new DEROctetString(picture), new ASN1Integer(42), new ASN1Integer(42)}),
            new DERSequence(new DERSequence(extension)),
        });
        ASN1Encodable[] named = {new DEROctetString(maker), SM2_WITH_SM3};
        byte[] message = version == 1 ? new DERSequence(new ASN1Encodable[] {info, named[0], named[1]}).getEncoded() : info.getEncoded();
        DERBitString value = new DERBitString(sign(key, message));
        if (version == 1) return new DERSequence(new ASN1Encodable[] {info, new DERSequence(new ASN1Encodable[] {named[0], named[1], value})});
        return new DERSequence(new ASN1Encodable[] {info, named[0], named[1], value});
    }

    static DERSequence makeSignature(int version, DERSequence seal, byte[] key, byte[] certificate) throws Exception {
        ASN1EncodableVector tbs = new ASN1EncodableVector();
        tbs.add(new ASN1Integer(version));
        tbs.add(seal);
        ASN1Encodable time = time(version, "261121100000Z");
        tbs.add(version == 1 ? new DERBitString(time.toASN1Primitive().getEncoded()) : time);
        tbs.add(new DERBitString(sm3("Signature.xml".getBytes(StandardCharsets.US_ASCII))));
        tbs.add(new DERIA5String("/Doc_0/Signs/Sign_0/Signature.xml"));
        ASN1Encodable[] named = {new DEROctetString(certificate), SM2_WITH_SM3};
        if (version == 1) for (ASN1Encodable item : named) tbs.add(item);
        DERSequence signed = new DERSequence(tbs);
        DERBitString value = new DERBitString(sign(key, signed.getEncoded()));
        if (version == 1) return new DERSequence(new ASN1Encodable[] {signed, value});
        return new DERSequence(new ASN1Encodable[] {signed, named[0], named[1], value});
    }

    static byte[] sign(byte[] pkcs8, byte[] message) throws Exception {
        CipherParameters key = PrivateKeyFactory.createKey(pkcs8);
        SM2Signer signer = new SM2Signer();
        signer.init(true, new ParametersWithID(key, ID));
        signer.update(message, 0, message.length);
        return signer.generateSignature();
    }
}
