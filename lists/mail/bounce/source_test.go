package bounce

import (
	"os"
	"strings"
	"testing"
)

// TestSources: each row of words.txt says where its words come from, by a name that the
// head of the file explains; no two rows are the same; and what is said to stand in a
// sample stands there.
func TestSources(t *testing.T) {
	explained, used := make(map[string]bool), make(map[string]bool)
	seen := make(map[string]bool)
	sampled := make(map[[3]byte][]string)
	for line := range strings.Lines(wordsFile) {
		line = strings.TrimSuffix(line, "\n")
		if about, ok := strings.CutPrefix(line, "# "); ok {
			if name, text, ok := strings.Cut(about, "  "); ok && !strings.Contains(name, " ") && strings.TrimSpace(text) != "" {
				explained[name] = true
			}
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) == 1 {
			continue
		}
		if len(fields) != 3 || !explained[fields[2]] {
			t.Errorf("%q has no source that is explained above", line)
			continue
		}
		if seen[fields[1]] {
			t.Errorf("%q is there twice", fields[1])
		}
		seen[fields[1]], used[fields[2]] = true, true
		if fields[2] == "sample" {
			k := key(fields[1])
			sampled[k] = append(sampled[k], fields[0]+"\t"+fields[1])
		}
	}
	for name := range explained {
		if !used[name] {
			t.Errorf("no row has the source %s", name)
		}
	}
	if len(sampled) < 50 {
		t.Fatalf("%d rows from samples", len(sampled))
	}
	unseen := make(map[string]bool)
	for _, rows := range sampled {
		for _, row := range rows {
			unseen[row] = true
		}
	}
	for _, text := range said(t) {
		for line := range strings.SplitSeq(text, "\n\n") {
			line = normal(line)
			for i := range len(line) {
				for _, row := range sampled[key(line[i:])] {
					if unseen[row] && readTable(row).judge(line[i:]).any() {
						delete(unseen, row)
					}
				}
			}
		}
	}
	for row := range unseen {
		t.Errorf("no sample has %q", row)
	}
}

func (v verdict) any() bool { return v.said != nil || v.hinted != nil }

// said is all that hosts say in the samples.
func said(t *testing.T) (texts []string) {
	for _, s := range corpus(t) {
		m := readMessage(s.mail)
		texts = append(texts, m.plain.String(), m.html.String(), m.get("subject"))
		for _, r := range m.fields() {
			texts = append(texts, r.Diagnostic)
		}
		for _, r := range s.want.Recipients {
			texts = append(texts, r.Diagnostic)
		}
	}
	replies, err := os.ReadFile("testdata/replies.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(replies)) {
		if _, reply, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			texts = append(texts, reply)
		}
	}
	return texts
}
