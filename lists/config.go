package lists

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
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
	unit := strings.TrimSpace(string(text[len(digits):]))
	shift, ok := map[string]int{"": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[unit]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf(`%q is no size; write bytes, or "512KiB", "25MiB", "1GiB"`, text)
	}
	*s = Size(n << shift)
	return nil
}

// String is the Size as it is written in a file.
func (s Size) String() string {
	for shift, unit := range map[int]string{30: "GiB", 20: "MiB", 10: "KiB"} {
		if n := int64(s) >> shift; n > 0 && n < 1024 && n<<shift == int64(s) {
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
	if isDays && err == nil && n >= 0 && n < 36500 {
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
	return time.Duration(d).String()
}

// MarshalText writes a Duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// maxConfig is more than any configuration needs; a larger file is not one.
const maxConfig = 1 << 20

// readConfig reads a TOML file into v, a pointer to a struct. Keys that the
// struct does not have are errors.
func readConfig(file string, v any) (text string, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Size() > maxConfig {
		return "", &ConfigError{File: file, Text: "too large to be a configuration"}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return string(raw), decodeConfig(file, string(raw), v)
}

func decodeConfig(file, text string, v any) error {
	meta, err := toml.Decode(text, v)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return &ConfigError{File: file, Line: syntax.Position.Line, Key: syntax.LastKey, Text: syntax.Message}
	}
	if err != nil {
		return &ConfigError{File: file, Text: err.Error()}
	}
	for _, key := range meta.Undecoded() {
		return unknownKey(file, text, key, v)
	}
	return nil
}

func unknownKey(file, text string, key toml.Key, v any) error {
	known := knownKeys(reflect.TypeOf(v).Elem(), key[:len(key)-1])
	hint := "no such key"
	if near := nearest(key[len(key)-1], known); near != "" {
		hint += fmt.Sprintf("; did you mean %s?", near)
	} else if len(known) > 0 {
		hint += "; known here: " + strings.Join(known, ", ")
	}
	return &ConfigError{File: file, Line: lineOf(text, key.String()), Key: key.String(), Text: hint}
}

// knownKeys are the keys of the table that path leads to.
func knownKeys(t reflect.Type, path []string) []string {
	var names []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("toml")
		if len(path) > 0 && name == path[0] && t.Field(i).Type.Kind() == reflect.Struct {
			return knownKeys(t.Field(i).Type, path[1:])
		}
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// nearest is the name that differs in the fewest letters, if it is near at all.
func nearest(s string, names []string) string {
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
			table = strings.Trim(line, "[] ") + "."
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
