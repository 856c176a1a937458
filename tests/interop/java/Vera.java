import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.*;
import java.util.*;
import java.util.logging.*;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.*;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.*;

/**
 * veraPDF's opinion on many files in one run.
 *
 * java -cp … Vera jobs.tsv       a job is one line: flavour TAB file, with flavour as in veraPDF ("1b", "2u", "4", "ua1" …)
 *
 * Prints per job: "ok TAB flavour TAB file", or "FAIL TAB flavour TAB file TAB clause-test clause-test …" with every rule broken.
 */
public final class Vera {
    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.OFF);
        VeraGreenfieldFoundryProvider.initialise();
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] job = line.split("\t");
            String broken;
            try {
                broken = String.join(" ", broken(job[0], job[1]));
            } catch (Throwable error) {
                broken = ("unreadable: " + error).replace('\n', ' ').replace('\t', ' ');
            }
            System.out.println(broken.isEmpty() ? "ok\t" + line : "FAIL\t" + line + "\t" + broken);
        }
    }

    static Set<String> broken(String flavour, String file) throws Exception {
        Set<String> out = new TreeSet<>();
        try (InputStream in = new FileInputStream(file); PDFAParser parser = Foundries.defaultInstance().createParser(in, PDFAFlavour.byFlavourId(flavour))) {
            ValidationResult result = Foundries.defaultInstance().createValidator(parser.getFlavour(), false).validate(parser);
            for (TestAssertion assertion : result.getTestAssertions())
                if (assertion.getStatus() == TestAssertion.Status.FAILED)
                    out.add(assertion.getRuleId().getClause() + "-t" + assertion.getRuleId().getTestNumber());
            if (!result.isCompliant() && out.isEmpty()) out.add("not-compliant");
        }
        return out;
    }
}
