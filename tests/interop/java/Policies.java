import eu.europa.esig.dss.diagnostic.*;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.policy.SignaturePolicyProvider;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.nio.file.*;
import java.time.Instant;
import java.util.*;

/**
 * EU DSS's opinion on the signature policy of PDFs and detached CMS, offline, by its default policy.
 *
 * java -cp … Policies jobs.tsv    a job is one line: file TAB content or "-" TAB moment TAB anchor.cer TAB list.crl,… TAB oid TAB policy or "-"
 *
 * Prints per signature: file TAB indication TAB sub-indication TAB identifier TAB whether the digest of the policy is the one that was signed.
 */
public final class Policies {
    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] job = line.split("\t", -1);
            CommonCertificateVerifier verifier = new CommonCertificateVerifier(true);
            CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
            trusted.addCertificate(DSSUtils.loadCertificate(new File(job[3])));
            verifier.setTrustedCertSources(trusted);
            List<DSSDocument> lists = new ArrayList<>();
            for (String name : job[4].split(",")) lists.add(new FileDocument(name));
            verifier.setCrlSource(new ExternalResourcesCRLSource(lists.toArray(new DSSDocument[0])));
            verifier.setAIASource(null);
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(job[0]));
            if (!job[1].equals("-")) validator.setDetachedContents(List.of(new FileDocument(job[1])));
            validator.setCertificateVerifier(verifier);
            validator.setValidationTime(Date.from(Instant.parse(job[2])));
            SignaturePolicyProvider policies = new SignaturePolicyProvider();
            if (!job[6].equals("-")) policies.setSignaturePoliciesById(Map.of(job[5], new FileDocument(job[6])));
            validator.setSignaturePolicyProvider(policies);
            Reports reports = validator.validateDocument();
            for (SignatureWrapper signature : reports.getDiagnosticData().getSignatures())
                System.out.println(String.join("\t", job[0], "" + reports.getSimpleReport().getIndication(signature.getId()),
                    "" + reports.getSimpleReport().getSubIndication(signature.getId()), signature.getPolicyId(),
                    "" + signature.isPolicyDigestValid()));
        }
        System.exit(0);
    }
}
