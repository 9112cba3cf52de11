package copies

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestOptOutHasNoPage: a copy names a page if the archive keeps the post, which it finds
// out after the list has changed the header.
func TestOptOutHasNoPage(t *testing.T) {
	const asks = "X-No-Archive: yes\r\n" + post
	for _, test := range []struct {
		setting, raw string
		named        bool
	}{
		{"", post, true},
		{"", asks, false},
		{"archive_opt_out = false", asks, true},
		{"headers_remove = ['X-No-Archive']", asks, true},
		{"headers_add = ['X-No-Archive: yes']", post, false},
	} {
		m := Maker{Host: "lists.example.org", List: listOf(t, test.setting), Keys: world, Pages: "https://x.example/", Page: func(n int) string { return "https://x.example/" + strconv.Itoa(n) }}
		c, err := m.Make(Post{ID: "1.x", Content: io.NewSectionReader(strings.NewReader(test.raw), 0, int64(len(test.raw))), Arrived: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := sent(t, c, 7); strings.Contains(got, "Archived-At: <https://x.example/7>") != test.named {
			t.Errorf("%s: %q", test.setting, got)
		}
	}
}
