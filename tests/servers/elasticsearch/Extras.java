package servers;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.core.UpperCaseFilter;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenFilter;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenizer;
import org.apache.lucene.analysis.ngram.NGramTokenFilter;
import org.apache.lucene.analysis.ngram.NGramTokenizer;
import org.apache.lucene.analysis.pattern.PatternReplaceFilter;
import org.apache.lucene.analysis.pattern.PatternTokenizer;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.NormalizingTokenFilterFactory;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.PreConfiguredTokenizer;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * What index definitions need of the modules analysis-common and rest-root, which no package registry has: the usual
 * tokenizers and filters, over Lucene's own classes, and the greeting at the root.
 */
public final class Extras extends Plugin implements ActionPlugin, AnalysisPlugin {
    private final String cluster;

    public Extras(Settings node) {
        cluster = node.get("cluster.name", "");
    }

    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of(
            "edge_ngram", tokenizer(Extras::edges),
            "ngram", tokenizer(Extras::grams),
            "pattern", tokenizer(Extras::pattern),
            "whitespace", tokenizer(settings -> new WhitespaceTokenizer()));
    }

    @Override
    public List<PreConfiguredTokenizer> getPreConfiguredTokenizers() {
        return List.of(PreConfiguredTokenizer.singleton("whitespace", WhitespaceTokenizer::new));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "lowercase", normalizer(settings -> LowerCaseFilter::new),
            "uppercase", normalizer(settings -> UpperCaseFilter::new),
            "asciifolding", normalizer(settings -> {
                boolean both = settings.getAsBoolean("preserve_original", false);
                return tokens -> new ASCIIFoldingFilter(tokens, both);
            }),
            "pattern_replace", normalizer(settings -> {
                Pattern pattern = Pattern.compile(settings.get("pattern"));
                String by = settings.get("replacement", "");
                boolean all = settings.getAsBoolean("all", true);
                return tokens -> new PatternReplaceFilter(tokens, pattern, by, all);
            }),
            "edge_ngram", filter(settings -> {
                boolean both = settings.getAsBoolean("preserve_original", false);
                return tokens -> new EdgeNGramTokenFilter(tokens, shortest(settings), longest(settings), both);
            }),
            "ngram", filter(settings -> {
                boolean both = settings.getAsBoolean("preserve_original", false);
                return tokens -> new NGramTokenFilter(tokens, shortest(settings), longest(settings), both);
            }));
    }

    @Override
    public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
        return List.of(
            PreConfiguredTokenFilter.singleton("asciifolding", true, ASCIIFoldingFilter::new),
            PreConfiguredTokenFilter.singleton("uppercase", true, UpperCaseFilter::new));
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
        Settings settings, NamedWriteableRegistry names, RestController controller, ClusterSettings clusterSettings,
        IndexScopedSettings indexSettings, SettingsFilter filter, IndexNameExpressionResolver resolver,
        Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features
    ) {
        return List.of(new Root(cluster, nodes));
    }

    private static int shortest(Settings settings) {
        return settings.getAsInt("min_gram", 1);
    }

    private static int longest(Settings settings) {
        return settings.getAsInt("max_gram", 2);
    }

    private static Tokenizer edges(Settings settings) {
        List<String> kinds = settings.getAsList("token_chars");
        return new EdgeNGramTokenizer(shortest(settings), longest(settings)) {
            @Override
            protected boolean isTokenChar(int character) {
                return isOf(kinds, character);
            }
        };
    }

    private static Tokenizer grams(Settings settings) {
        List<String> kinds = settings.getAsList("token_chars");
        return new NGramTokenizer(shortest(settings), longest(settings)) {
            @Override
            protected boolean isTokenChar(int character) {
                return isOf(kinds, character);
            }
        };
    }

    private static Tokenizer pattern(Settings settings) {
        return new PatternTokenizer(Pattern.compile(settings.get("pattern", "\\W+")), settings.getAsInt("group", -1));
    }

    /** No kinds are all kinds, as in the module this stands for. */
    private static boolean isOf(List<String> kinds, int character) {
        return kinds.isEmpty() || kinds.stream().anyMatch(kind -> switch (kind) {
            case "letter" -> Character.isLetter(character);
            case "digit" -> Character.isDigit(character);
            case "whitespace" -> Character.isWhitespace(character);
            default -> throw new IllegalArgumentException("token_chars [" + kind + "] is not known to the test server");
        });
    }

    private static AnalysisProvider<TokenizerFactory> tokenizer(Function<Settings, Tokenizer> make) {
        return AnalysisPlugin.requiresAnalysisSettings(
            (index, environment, name, settings) -> TokenizerFactory.newFactory(name, () -> make.apply(settings)));
    }

    private static AnalysisProvider<TokenFilterFactory> filter(Function<Settings, UnaryOperator<TokenStream>> make) {
        return AnalysisPlugin.requiresAnalysisSettings(
            (index, environment, name, settings) -> new Filter(name, make.apply(settings)));
    }

    /** A filter that a keyword's normalizer may use as well, since it makes one token of one. */
    private static AnalysisProvider<TokenFilterFactory> normalizer(Function<Settings, UnaryOperator<TokenStream>> make) {
        return AnalysisPlugin.requiresAnalysisSettings(
            (index, environment, name, settings) -> new Normalizer(name, make.apply(settings)));
    }

    private static class Filter extends AbstractTokenFilterFactory {
        private final UnaryOperator<TokenStream> wrap;

        Filter(String name, UnaryOperator<TokenStream> wrap) {
            super(name, Settings.EMPTY);
            this.wrap = wrap;
        }

        @Override
        public TokenStream create(TokenStream tokens) {
            return wrap.apply(tokens);
        }
    }

    private static final class Normalizer extends Filter implements NormalizingTokenFilterFactory {
        Normalizer(String name, UnaryOperator<TokenStream> wrap) {
            super(name, wrap);
        }
    }

    /** GET and HEAD of the root: clients ask there who they are talking to. */
    private static final class Root extends BaseRestHandler {
        private final String cluster;
        private final Supplier<DiscoveryNodes> nodes;

        Root(String cluster, Supplier<DiscoveryNodes> nodes) {
            this.cluster = cluster;
            this.nodes = nodes;
        }

        @Override
        public String getName() {
            return "root";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> channel.sendResponse(new RestResponse(RestStatus.OK, greeting(channel.newBuilder())));
        }

        private XContentBuilder greeting(XContentBuilder body) throws java.io.IOException {
            Build build = Build.current();
            String uuid = nodes.get().getLocalNode().getId();
            return body.startObject()
                .field("name", nodes.get().getLocalNode().getName())
                .field("cluster_name", cluster)
                .field("cluster_uuid", uuid)
                .startObject("version")
                .field("number", build.version())
                .field("build_flavor", build.flavor())
                .field("build_type", build.type().displayName())
                .field("build_hash", build.hash())
                .field("build_date", build.date())
                .field("build_snapshot", build.isSnapshot())
                .field("lucene_version", org.apache.lucene.util.Version.LATEST.toString())
                .field("minimum_wire_compatibility_version", build.minWireCompatVersion())
                .field("minimum_index_compatibility_version", build.minIndexCompatVersion())
                .endObject()
                .field("tagline", "You Know, for Search")
                .endObject();
        }
    }
}
