import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * A cluster of one Elasticsearch node, since no distribution is in a package registry, only its jars.
 *
 * Arguments: where modules/ lies, its directory, its port, then node settings as key=value, of which the last one wins.
 */
public final class ElasticsearchNode {
    public static void main(String[] arguments) throws Exception {
        Path installed = Path.of(arguments[0]).toAbsolutePath();
        Path home = Path.of(arguments[1]).toAbsolutePath();
        LogConfigurator.configureWithoutConfig(Settings.builder().put("logger.level", "INFO").build());
        Path config = Files.createDirectories(home.resolve("config"));
        Environment environment = new Environment(settings(installed, home, arguments), config);
        Files.createDirectories(environment.pluginsDir());
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()),
            PluginsLoader.loadPluginsBundles(environment.pluginsDir()),
            Map.of(),
            false);
        Node node = new Node(environment, plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        Thread.currentThread().join();
    }

    private static Settings settings(Path installed, Path home, String[] arguments) {
        Settings.Builder settings = Settings.builder()
            .put("path.home", installed)
            .put("path.data", home.resolve("data"))
            .put("path.logs", home.resolve("logs"))
            .put("cluster.name", "reindex-tests")
            .put("node.name", "elasticsearch")
            .put("network.host", "127.0.0.1")
            .put("http.port", arguments[2])
            .put("transport.port", "0")
            .put("discovery.type", "single-node")
            // How full the disk of a developer is should not decide a test.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("action.auto_create_index", false);
        for (int i = 3; i < arguments.length; i++) {
            String[] setting = arguments[i].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        return settings.build();
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (Exception e) {
            e.printStackTrace();
        }
    }
}
