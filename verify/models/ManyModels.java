import java.io.BufferedReader;
import java.io.File;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Runs TLC on one model after another in one JVM, each with classes of its own.
 *
 * TLC keeps what it knows of a model in static fields, so two runs that share its classes share
 * state: counts come out wrong. Here every run gets a fresh class loader over TLC's jar, whose
 * parent is the platform's, so no run sees a class of another. What is saved is the start of the
 * JVM and the warming up of Java's own classes.
 *
 * Standard input, one line a run: the file for the output, then TLC's arguments, separated by tabs.
 * Standard output, one line a run: "ended" or "broken TEXT". The system property tlc.jar names the
 * jar. Nothing is judged here: what a run found is read from its output, as of a JVM of its own.
 *
 * Started by jvm.py. See docs/adr/0081.
 */
public final class ManyModels {
    private static final long STACK_BYTES = 16L << 20;  // as -Xss16m gives the main thread

    public static void main(String[] none) throws Exception {
        URL jar = new File(System.getProperty("tlc.jar")).toURI().toURL();
        PrintStream answers = System.out;
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] words = line.split("\t");
            String broken = run(jar, words[0], Arrays.copyOfRange(words, 1, words.length));
            answers.println(broken.isEmpty() ? "ended" : "broken " + broken.replace('\n', ' '));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static String run(URL jar, String output, String[] arguments) throws Exception {
        String[] broken = {""};
        try (URLClassLoader loader =
                 new URLClassLoader(new URL[] {jar}, ClassLoader.getPlatformClassLoader());
             PrintStream sink = new PrintStream(new FileOutputStream(output), true, "UTF-8")) {
            System.setOut(sink);
            System.setErr(sink);
            Thread main = new Thread(null, () -> {
                Thread.currentThread().setContextClassLoader(loader);
                try {
                    broken[0] = check(loader, sink, arguments);
                } catch (InvocationTargetException thrown) {
                    broken[0] = String.valueOf(thrown.getCause());
                } catch (Throwable thrown) {
                    broken[0] = String.valueOf(thrown);
                }
            }, "main", STACK_BYTES);
            main.start();
            main.join();
        }
        return broken[0];
    }

    /** What tlc2.TLC.main does, but for leaving the JVM. */
    private static String check(ClassLoader loader, PrintStream sink, String[] arguments)
        throws Exception {
        Class<?> console = loader.loadClass("util.ToolIO");
        console.getField("out").set(null, sink);
        console.getField("err").set(null, sink);
        Class<?> type = loader.loadClass("tlc2.TLC");
        Object tlc = type.getConstructor().newInstance();
        Object read = type.getMethod("handleParameters", String[].class)
            .invoke(tlc, (Object) arguments);
        if (!(Boolean) read) {
            return "TLC does not take its arguments";
        }
        Class<?> resolver = loader.loadClass("util.FilenameToStream");
        type.getMethod("setResolver", resolver).invoke(
            tlc, loader.loadClass("util.SimpleFilenameToStream").getConstructor().newInstance());
        type.getMethod("process").invoke(tlc);
        return "";
    }
}
