package lists

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"golang.org/x/sys/unix"

	"superlist/lists/textfile"
	"superlist/queue/disk"
)

// A ConfigError is a mistake in a configuration file: where it is, and how to
// mend it.
type ConfigError struct {
	File string
	Line int    // 0: not known
	Key  string // empty: not about one key
	Text string
}

func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	return b.String() + e.Text
}

// A Size is a number of bytes: 1048576, "1024KiB", "1MiB", "1GiB".
type Size int64

// UnmarshalText reads a Size.
func (s *Size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "KMGiB ")
	shift, ok := 0, true
	switch strings.TrimSpace(string(text[len(digits):])) {
	case "", "B":
	case "KiB":
		shift = 10
	case "MiB":
		shift = 20
	case "GiB":
		shift = 30
	default:
		ok = false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf(`%q is no size; write bytes, or "512KiB", "25MiB", "1GiB"`, text)
	}
	*s = Size(n << shift)
	return nil
}

// String is the Size as it is written in a file.
func (s Size) String() string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		shift := 30 - 10*i
		if n := int64(s) >> shift; n > 0 && n<<shift == int64(s) {
			return fmt.Sprintf("%d%s", n, unit)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText writes a Size.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Duration is a time.Duration that may also be given in days: "5d".
type Duration time.Duration

// UnmarshalText reads a Duration.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	days, isDays := strings.CutSuffix(s, "d")
	n, err := strconv.Atoi(days)
	if isDays && err == nil && n > 0 && n < 36500 {
		*d = Duration(n) * Duration(24*time.Hour)
		return nil
	}
	t, err := time.ParseDuration(s)
	if err != nil || t <= 0 {
		return fmt.Errorf(`%q is no time span; write "30s", "5m", "4h" or "5d"`, text)
	}
	*d = Duration(t)
	return nil
}

// String is the Duration as it is written in a file.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d > 0 && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := time.Duration(d).String() // 4h0m0s
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-len("0s")]
		}
	}
	return s
}

// MarshalText writes a Duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// maxConfig is more than any configuration needs; a larger file is not one.
const maxConfig = 1 << 20

// readConfig reads a TOML file into t. Keys that t does not have are errors.
func readConfig(file string, t table) (text string, err error) {
	f, info, err := disk.OpenRegular(file, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info.Size() > maxConfig {
		return "", &ConfigError{File: file, Text: "too large to be a configuration"}
	}
	raw := make([]byte, info.Size())
	n, err := io.ReadFull(f, raw)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	text = string(textfile.Plain(raw[:n]))
	return text, decodeConfig(file, text, t)
}

func decodeConfig(file, text string, t table) error {
	var raw any // a map[string]any: of those the decoder would make another
	_, err := toml.Decode(withoutCommentLines(text), &raw)
	if err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return &ConfigError{File: file, Line: syntax.Position.Line, Key: syntax.LastKey, Text: syntax.Message}
		}
		return &ConfigError{File: file, Text: err.Error()}
	}
	all, _ := raw.(map[string]any) // TOML is a table, whatever is in it
	if name, wrong := fill(t, all); wrong != "" {
		return &ConfigError{File: file, Line: lineOf(text, name), Key: name, Text: wrong}
	}
	return nil
}

// withoutCommentLines leaves out lines that are comments, but for their ends, so
// that the lines keep their numbers. The decoder looks at each letter of them, in
// every session, and a configuration that is well explained has little else.
// Where a string may go over several lines such a line may be a part of it, and
// nothing is left out.
func withoutCommentLines(text string) string {
	if !strings.Contains(text, "#") || strings.Contains(text, `"""`) || strings.Contains(text, "'''") {
		return text
	}
	short := make([]byte, 0, len(text))
	for line := range strings.Lines(text) {
		if rest := strings.TrimLeft(line, " \t"); rest != "" && rest[0] == '#' && plain(rest) {
			line = "\n"
		}
		short = append(short, line...)
	}
	return string(short)
}

// plain says that nothing in a comment is what TOML forbids there: control
// characters, and what is not UTF-8. The decoder complains about the others.
func plain(comment string) bool {
	comment = strings.TrimSuffix(strings.TrimSuffix(comment, "\n"), "\r")
	for i := range len(comment) {
		if c := comment[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(comment)
}

// hint says which keys there are instead of one that there is not.
func hint(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}

// Nearest is the name that differs in the fewest letters, if it is near at all.
func Nearest(s string, names []string) string {
	best, found := 1+len(s)/3, ""
	for _, name := range names {
		if d := distance(s, name); d <= best {
			best, found = d-1, name
		}
	}
	return found
}

// distance is how many letters must be put in, taken out or changed
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// lineOf finds the line on which a dotted key is set; 0 if it cannot be seen.
func lineOf(text, key string) int {
	table := ""
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			name, _, _ := strings.Cut(strings.TrimLeft(line, "["), "]")
			table = strings.TrimSpace(name) + "."
			if table == key+"." {
				return n
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if ok && table+strings.Trim(name, ` "'`) == key {
			return n
		}
	}
	return 0
}
