package bounce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// A sample is a mail of testdata/reports, and what it says.
type sample struct {
	name string
	mail []byte
	want Report
}

func corpus(t testing.TB) (all []sample) {
	files, err := filepath.Glob("testdata/reports/*.eml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		s := sample{name: strings.TrimSuffix(filepath.Base(file), ".eml")}
		s.mail, err = os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := os.ReadFile(strings.TrimSuffix(file, ".eml") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(answer, &s.want); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, s)
	}
	return all
}

// brief is what a test looks at in a report.
func brief(r Report, status bool) string {
	var lines []string
	for _, r := range r.Recipients {
		line := fmt.Sprintf("%s %s %s", strings.ToLower(r.Address), r.Action, r.Class)
		if status {
			line += " " + r.Status
		}
		lines = append(lines, line)
	}
	sort.Strings(lines)
	return string(r.Kind) + ": " + strings.Join(lines, ", ")
}

// A score is how often something was there and was found.
type score struct{ right, there, found int }

// TestReports: each mail of the corpus is understood, with lines that end with LF and
// with CRLF. It prints recall and precision by kind and class.
func TestReports(t *testing.T) {
	kinds, classes := make(map[string]*score), make(map[string]*score)
	count := func(in map[string]*score, want, got string) {
		for _, name := range []string{want, got} {
			if name != "" && in[name] == nil {
				in[name] = new(score)
			}
		}
		if want != "" {
			in[want].there++
		}
		if got != "" {
			in[got].found++
		}
		if want == got {
			in[want].right++
		}
	}
	for _, s := range corpus(t) {
		got := Parse(s.mail)
		if brief(got, false) != brief(s.want, false) {
			t.Errorf("%s:\ngot  %s\nwant %s", s.name, brief(got, false), brief(s.want, false))
		}
		unix := bytes.ReplaceAll(s.mail, []byte("\r\n"), []byte("\n"))
		for _, mail := range [][]byte{unix, bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n"))} {
			if other := Parse(mail); brief(other, true) != brief(got, true) {
				t.Errorf("%s: with other line ends %s, and before %s", s.name, brief(other, true), brief(got, true))
			}
		}
		count(kinds, string(s.want.Kind), string(got.Kind))
		found := make(map[string]Recipient)
		for _, r := range got.Recipients {
			found[strings.ToLower(r.Address)] = r
		}
		for _, want := range s.want.Recipients {
			r := found[strings.ToLower(want.Address)]
			delete(found, strings.ToLower(want.Address))
			count(classes, string(want.Class), string(r.Class))
			if want.Status != "" && r.Status != want.Status {
				t.Errorf("%s: status %q, want %q", s.name, r.Status, want.Status)
			}
		}
		for _, r := range found {
			count(classes, "", string(r.Class))
		}
	}
	for title, of := range map[string]map[string]*score{"kind": kinds, "class": classes} {
		for name, s := range of {
			t.Logf("%-5s %-10s recall %5.1f%% of %3d  precision %5.1f%% of %3d", title, name,
				100*float64(s.right)/float64(max(1, s.there)), s.there, 100*float64(s.right)/float64(max(1, s.found)), s.found)
		}
	}
}

// TestReplies: what a server answers means the same without a report around it.
func TestReplies(t *testing.T) {
	file, err := os.ReadFile("testdata/replies.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		class, reply, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		code, status := codes(reply)
		if got := Classify(code, status, reply); got != Class(class) {
			t.Errorf("%s, want %s: %s %v", got, class, reply, words().judge(normal(reply)))
		}
		if got := Classify(0, "", reply); got != Class(class) {
			t.Errorf("its codes not told: %s, want %s: %s", got, class, reply)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	all := corpus(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		Parse(all[i%len(all)].mail)
		i++
	}
}
