package charset

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// TestLabels: each label that x/text knows is known here, as the same encoding.
func TestLabels(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/text").Output()
	if err != nil {
		t.Fatal(err)
	}
	inTable := regexp.MustCompile(`(?m)^\s*"([^"]+)":`)
	tried := 0
	for _, index := range []string{"htmlindex", "ianaindex"} {
		source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "encoding", index, "tables.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inTable.FindAllStringSubmatch(string(source), -1) {
			label := strings.ToLower(m[1])
			want, err := htmlindex.Get(label)
			if err != nil {
				want, _ = ianaindex.MIME.Encoding(label)
			}
			name := fmt.Sprint(want)
			if want == nil || want == encoding.Replacement {
				continue // no encoding of x/text, or one that browsers refuse
			}
			got, known := labelled(label)
			if name == "UTF-8" || name == "US-ASCII" { // which are guessed
				want = nil
			}
			tried++
			if !known || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v", label, got, want)
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d labels", tried)
	}
}
