package maillog

import (
	"strconv"
	"strings"
	"testing"
)

// TestParse: a line comes apart as it was put together.
func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		`post id=1.M2 list=<dev@lists.example.org> members=12`:                    `post|id:1.M2 list:<dev@lists.example.org> members:12|`,
		`not told id=1 reason="450 \"no\" x=y"`:                                   `not told|id:1 reason:450 "no" x=y|`,
		`bounces list=<a@b.example> member=<c@d.example> suspended reason="full"`: `bounces|list:<a@b.example> member:<c@d.example> reason:full|suspended`,
		`failed id=1 reason="cut off`:                                             `failed|id:1 reason:"cut|off`,
		`deliver: could not open X=1`:                                             `deliver: could not open X=1||`,
		`swept 3 unfinished files from tmp`:                                       `swept 3 unfinished files from tmp||`,
		`set key= value="" was=x`:                                                 `set|key: value: was:x|`,
		``:                                                                        `||`,
		` two  words id=1`:                                                        `two words|id:1|`,
		`a=b words`:                                                               `|a:b|words`,
		`trouble id=1 error="x"; moved to failed`:                                 `trouble|id:1 error:x|; moved to failed`,
	} {
		e := Parse(line)
		if got := EventOf(line); got != e.Event {
			t.Errorf("%s: event %q, want %q", line, got, e.Event)
		}
		var fields []string
		for _, f := range e.Fields {
			fields = append(fields, f.Key+":"+f.Value)
		}
		if got := e.Event + "|" + strings.Join(fields, " ") + "|" + e.Words; got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

// FuzzParse: whatever a value is, it comes back, and makes no other field.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a b", `"`, `\`, "<a@b.example>", "by=root", "\x1b[2J", "é\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		l := &Log{level: Info}
		l.Also(&b)
		l.Printf(Info, "set list=%s value=%q by=%s", "<a@b.example>", s, "ann")
		e := Parse(strings.TrimSuffix(b.String(), "\n"))
		if e.Event != "set" || len(e.Fields) != 3 || e.Words != "" || e.Get("by") != "ann" {
			t.Errorf("%q: %+v", s, e)
		}
		if strconv.Quote(s) == Printable(strconv.Quote(s)) && e.Get("value") != s {
			t.Errorf("%q comes back as %q", s, e.Get("value"))
		}
	})
}
