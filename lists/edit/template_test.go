package edit

import (
	"reflect"
	"regexp"
	"testing"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/config/configtest"
	"superlist/lists/settings"
)

// TestTemplate: a new list's list.toml has every key of a list, with the value that holds without it, behind a #.
func TestTemplate(t *testing.T) {
	text := template(nil)
	full := regexp.MustCompile(`(?m)^#(\w+ *=)`).ReplaceAllString(text, "$1")
	for _, text := range []string{text, full} {
		c := lists.Defaults()
		if err := config.Decode("list.toml", text, &c); err != nil {
			t.Fatal(err)
		}
		if got, want := c.Settings(), lists.Defaults().Settings(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nsays    %q\nwithout %q", text, got, want)
		}
	}
	configtest.Explained(t, settings.List, new(lists.Config))
}
