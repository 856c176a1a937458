import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.text.PDFTextStripper;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Encrypted PDF files opened by PDFBox with the key of a recipient.
 *
 * java -cp … PdfOpener file.pdf key.p8 cert.cer algorithm
 *
 * Prints the title of the document, a line end, and the text of its pages.
 */
public final class PdfOpener {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        PrivateKey key = KeyFactory.getInstance(args[3], "BC")
            .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Paths.get(args[1]))));
        X509Certificate certificate;
        try (InputStream in = Files.newInputStream(Paths.get(args[2]))) {
            certificate = (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(in);
        }
        char[] password = "x".toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12", "BC");
        store.load(null, null);
        store.setKeyEntry("me", key, password, new java.security.cert.Certificate[] {certificate});
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        store.store(packed, password);
        InputStream keys = new ByteArrayInputStream(packed.toByteArray());
        try (PDDocument document = PDDocument.load(new File(args[0]), "x", keys, "me")) {
            PrintStream out = new PrintStream(System.out, true, "UTF-8");
            out.println(document.getDocumentInformation().getTitle());
            out.print(new PDFTextStripper().getText(document));
        }
    }
}
