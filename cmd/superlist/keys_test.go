package main

import (
	"strings"
	"testing"
)

// TestSettingHelp: "list set --help" has every key, with its default and what it
// means.
func TestSettingHelp(t *testing.T) {
	help := settingHelp()
	for _, want := range []string{
		"  post=\"members\"\n      Who may post: anyone, members, moderators or nobody.\n",
		"  max_named=0\n",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("no %q in\n%s", want, help)
		}
	}
	for _, key := range settingKeys() {
		if key = strings.TrimSuffix(key, "="); !strings.Contains(help, "\n  "+key+"=") && !strings.HasPrefix(help, "  "+key+"=") {
			t.Errorf("%s is not in it", key)
		}
	}
}
