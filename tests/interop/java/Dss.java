import eu.europa.esig.dss.diagnostic.*;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.*;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.nio.file.*;
import java.time.Instant;
import java.util.*;
import java.util.concurrent.*;

/**
 * EU DSS's opinion on many PDFs in one run, offline, by its default policy.
 *
 * java -cp … Dss jobs.tsv      a job is one line: file TAB moment (ISO 8601, or "-") TAB anchor.cer,… TAB list.crl,…
 *
 * Prints per signature and document time-stamp: file TAB field TAB intact TAB valid TAB indication TAB sub-indication TAB changes;
 * per job without one: file TAB "-" TAB what happened. "intact" is the digest, "valid" digest and signature value, "changes" one of
 * none, forms, annotations, undefined.
 */
public final class Dss {
    private static final int SECONDS = 60;

    public static void main(String[] args) throws Exception {
        ExecutorService one = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(null, work, "job", 64L << 20);
            thread.setDaemon(true);
            return thread;
        });
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] job = line.split("\t", -1);
            List<String> said;
            Future<List<String>> work = one.submit(() -> judge(job));
            try {
                said = work.get(SECONDS, TimeUnit.SECONDS);
            } catch (TimeoutException error) {
                said = List.of("-\ttimeout");
            } catch (ExecutionException error) {
                Throwable cause = error.getCause();
                said = List.of("-\t" + cause.getClass().getSimpleName() + ": " + clean(String.valueOf(cause.getMessage())));
            }
            for (String each : said.isEmpty() ? List.of("-\tnothing") : said) System.out.println(job[0] + "\t" + each);
        }
        System.exit(0);
    }

    static List<String> judge(String[] job) throws Exception {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier(true);
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (String name : job[2].split(",")) if (!name.isEmpty()) trusted.addCertificate(DSSUtils.loadCertificate(new File(name)));
        verifier.setTrustedCertSources(trusted);
        if (!job[3].isEmpty()) {
            List<eu.europa.esig.dss.model.DSSDocument> lists = new ArrayList<>();
            for (String name : job[3].split(",")) lists.add(new FileDocument(name));
            verifier.setCrlSource(new ExternalResourcesCRLSource(lists.toArray(new eu.europa.esig.dss.model.DSSDocument[0])));
        }
        verifier.setAIASource(null);
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(job[0]));
        validator.setCertificateVerifier(verifier);
        if (!job[1].equals("-")) validator.setValidationTime(Date.from(Instant.parse(job[1])));
        Reports reports = validator.validateDocument();
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData data = reports.getDiagnosticData();
        List<String> out = new ArrayList<>();
        for (SignatureWrapper signature : data.getSignatures())
            out.add(String.join("\t", field(signature.getPDFRevision()), "" + signature.isSignatureIntact(), "" + signature.isSignatureValid(),
                "" + simple.getIndication(signature.getId()), "" + simple.getSubIndication(signature.getId()), changes(signature.getPDFRevision())));
        for (TimestampWrapper token : data.getTimestampList())
            if (token.getType().isDocumentTimestamp())
                out.add(String.join("\t", field(token.getPDFRevision()), "" + token.isMessageImprintDataIntact(), "" + token.isSignatureValid(),
                    "" + simple.getIndication(token.getId()), "" + simple.getSubIndication(token.getId()), changes(token.getPDFRevision())));
        return out;
    }

    static String field(PDFRevisionWrapper revision) {
        return revision == null ? "" : clean(String.join(",", revision.getSignatureFieldNames()));
    }

    static String changes(PDFRevisionWrapper revision) {
        if (revision == null) return "none";
        if (!revision.getPdfUndefinedChanges().isEmpty()) return "undefined";
        if (!revision.getPdfAnnotationChanges().isEmpty()) return "annotations";
        return revision.getPdfSignatureOrFormFillChanges().isEmpty() ? "none" : "forms";
    }

    static String clean(String text) {
        return text.replace('\n', ' ').replace('\t', ' ').replace('\r', ' ');
    }
}
