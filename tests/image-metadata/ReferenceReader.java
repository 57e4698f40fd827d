// Prints what metadata-extractor, XMP Core and Joda-Time read: one line of JSON for each file of a directory, in the
// order of their names. A file with the ending `dates` holds dates, one a line.
//
// It lists the first directory of each kind by the names of its tags, and the simple values of every XMP packet.

import com.adobe.internal.xmp.XMPMetaFactory;
import com.drew.imaging.ImageMetadataReader;
import com.drew.metadata.Directory;
import com.drew.metadata.ErrorDirectory;
import com.drew.metadata.Metadata;
import com.drew.metadata.Tag;
import com.drew.metadata.exif.ExifIFD0Directory;
import com.drew.metadata.exif.ExifSubIFDDirectory;
import com.drew.metadata.icc.IccDirectory;
import com.drew.metadata.iptc.IptcDirectory;
import com.drew.metadata.xmp.XmpDirectory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.joda.time.DateTime;
import org.joda.time.DateTimeZone;
import org.joda.time.format.DateTimeFormat;
import org.joda.time.format.DateTimeFormatter;
import org.joda.time.format.ISODateTimeFormat;

public final class ReferenceReader {
    private static final String[] PATTERNS = {
        "yyyy-MM-dd'T'HH:mm:ss.SSSZZ", "yyyy-MM-dd'T'HH:mm:ss ZZ", "yyyy-MM-dd'T'HH:mm:ssZZ", "yyyy-MM-dd'T'HH:mm:ss",
        "yyyy-MM-dd'T'HH:mm:ss.SSS", "yyyy-MM-dd'T'HH:mm.SSSZZ", "yyyy-MM-dd'T'HH:mmZZ", "EEE MMM dd HH:mm:ss.SSS z yyyy",
        "EEE MMM dd HH:mm:ss z yyyy", "EEE MMM dd HH:mm:ss.SSS 'BST' yyyy", "EEE MMM dd HH:mm:ss 'BST' yyyy", "yyyyMMdd",
        "yyyyMM", "yyyyddMM", "yyyy", "yyyy-MM", "yyyy:MM:dd", "yyyy-MM-dd",
    };

    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        List<Path> files;
        try (Stream<Path> entries = Files.list(Paths.get(arguments[0]))) {
            files = entries.sorted().collect(Collectors.toList());
        }
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            out.println(file.toString().endsWith("dates") ? dates(bytes) : image(bytes));
        }
        out.flush();
    }

    private static String dates(byte[] bytes) {
        List<String> dates = new ArrayList<>();
        for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n", -1)) {
            dates.add(quoted(clean(line)));
        }
        return "[" + String.join(",", dates) + "]";
    }

    private static String clean(String text) {
        String whole = text;
        if (text.length() == 8 && text.endsWith("0000")) {
            whole = text.substring(0, 4) + "0101";
        } else if (text.length() == 8 && text.endsWith("00")) {
            whole = text.substring(0, 6) + "01";
        }
        for (String pattern : PATTERNS) {
            DateTimeZone zone = pattern.contains("BST") ? DateTimeZone.forOffsetHours(1) : DateTimeZone.UTC;
            DateTimeFormatter formatter = DateTimeFormat.forPattern(pattern).withLocale(Locale.ENGLISH).withZone(zone);
            try {
                return printed(formatter.parseDateTime(whole));
            } catch (IllegalArgumentException wrong) {
                // The next one may fit.
            }
        }
        return text;
    }

    private static String printed(DateTime date) {
        return ISODateTimeFormat.dateTime().print(date.withZone(DateTimeZone.UTC));
    }

    private static String image(byte[] bytes) {
        try {
            XMPMetaFactory.reset();
            XMPMetaFactory.getSchemaRegistry().registerNamespace("http://xmp.gettyimages.com/gift/1.0/", "GettyImagesGIFT");
            return maps(ImageMetadataReader.readMetadata(new ByteArrayInputStream(bytes)));
        } catch (Throwable wrong) {
            return "{\"error\":" + quoted(wrong.toString()) + "}";
        }
    }

    private static String maps(Metadata metadata) {
        // What makes the library fail in a JPEG is only noted in a PNG.
        if (metadata.containsDirectoryOfType(ErrorDirectory.class)) {
            return "{\"error\":\"a chunk cannot be read\"}";
        }
        Map<String, String> sub = texts(metadata.getFirstDirectoryOfType(ExifSubIFDDirectory.class));
        ExifSubIFDDirectory taken = metadata.getFirstDirectoryOfType(ExifSubIFDDirectory.class);
        put(sub, "Date/Time Original Composite", taken == null ? null : taken.getDateOriginal());
        Map<String, String> iptc = texts(metadata.getFirstDirectoryOfType(IptcDirectory.class));
        IptcDirectory created = metadata.getFirstDirectoryOfType(IptcDirectory.class);
        put(iptc, "Date Time Created Composite", created == null ? null : created.getDateCreated());
        put(iptc, "Digital Date Time Created Composite", created == null ? null : created.getDigitalDateCreated());
        List<String> packets = new ArrayList<>();
        for (XmpDirectory packet : metadata.getDirectoriesOfType(XmpDirectory.class)) {
            packets.add(object(packet.getXmpProperties()));
        }
        return "{\"iptc\":" + object(iptc)
            + ",\"exif\":" + object(texts(metadata.getFirstDirectoryOfType(ExifIFD0Directory.class)))
            + ",\"exifSub\":" + object(sub)
            + ",\"icc\":" + object(texts(metadata.getFirstDirectoryOfType(IccDirectory.class)))
            + ",\"xmp\":[" + String.join(",", packets) + "]}";
    }

    private static void put(Map<String, String> texts, String name, Date date) {
        if (date != null) {
            texts.put(name, printed(new DateTime(date)));
        }
    }

    private static Map<String, String> texts(Directory directory) {
        Map<String, String> texts = new TreeMap<>();
        if (directory == null) {
            return texts;
        }
        for (Tag tag : directory.getTags()) {
            String name = directory.getTagName(tag.getTagType());
            if (!directory.hasTagName(tag.getTagType()) || name.equals("Padding") || name.equals("XMP Value Count")) {
                continue;
            }
            String text = null;
            try {
                text = tag.getDescription();
            } catch (RuntimeException wrong) {
                // The library cannot describe every value that it reads.
            }
            if (text != null && !text.trim().isEmpty()) {
                texts.put(name, text.trim());
            }
        }
        return texts;
    }

    private static String object(Map<String, String> texts) {
        List<String> members = new ArrayList<>();
        texts.forEach((name, text) -> members.add(quoted(name) + ":" + quoted(text)));
        return "{" + String.join(",", members) + "}";
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int place = 0; place < text.length(); place++) {
            char unit = text.charAt(place);
            boolean isLone = Character.isSurrogate(unit) && !isPaired(text, place);
            if (isLone) {
                quoted.append('\uFFFD');
            } else if (unit == '"' || unit == '\\') {
                quoted.append('\\').append(unit);
            } else if (unit < ' ') {
                quoted.append(String.format("\\u%04x", (int) unit));
            } else {
                quoted.append(unit);
            }
        }
        return quoted.append('"').toString();
    }

    private static boolean isPaired(String text, int place) {
        return Character.isHighSurrogate(text.charAt(place))
            ? place + 1 < text.length() && Character.isLowSurrogate(text.charAt(place + 1))
            : place > 0 && Character.isHighSurrogate(text.charAt(place - 1));
    }
}
