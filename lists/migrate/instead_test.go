package migrate

import (
	"regexp"
	"strings"
	"testing"

	"superlist/lists"
)

// TestInstead: a report that says what to set in list.toml names keys that are there.
func TestInstead(t *testing.T) {
	keys := make(map[string]bool)
	for _, k := range new(lists.Config).Keys() {
		keys[k.Name] = true
	}
	var all []string
	for _, s := range append(append([]setting{}, ezmlmFiles...), mlmmjControls...) {
		all = append(all, s.instead)
	}
	for _, s := range mailmanLeft {
		all = append(all, s.instead)
	}
	word := regexp.MustCompile(`[a-z_]+`)
	n := 0
	for _, instead := range all {
		names, _, ok := strings.Cut(instead, " in list.toml")
		names, _, assigned := strings.Cut(names, " =")
		if !ok && !assigned {
			continue
		}
		for _, name := range word.FindAllString(names, -1) {
			if name != "or" && name != "and" && !keys[name] {
				t.Errorf("%q: list.toml has no %q", instead, name)
			}
			n++
		}
	}
	if n < 30 {
		t.Errorf("only %d keys", n)
	}
}
