import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.regex.*;

// Says for each line of regex, replacement and topic, with tabs between, what
// ByLogicalTableRouter would make of the topic: "=" and the new one, "-" where the regex
// does not match all of it, "!" where one of both is an error.
public class Route {
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, "UTF-8");
        for (String line; (line = in.readLine()) != null;) {
            String[] f = line.split("\t", -1);
            out.println(route(f[0], f[1], f[2]));
        }
        out.flush();
    }

    static String route(String regex, String replacement, String topic) {
        try {
            Matcher m = Pattern.compile(regex).matcher(topic);
            return m.matches() ? "=" + m.replaceFirst(replacement) : "-";
        } catch (RuntimeException e) {
            return "!";
        }
    }
}
