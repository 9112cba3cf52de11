package lists

import (
	"errors"
	"fmt"
	"testing"
)

func TestFetchCommand(t *testing.T) {
	for text, want := range map[string]string{
		"get-1": "get 1 1", "get-12-20": "get 12 20", "get-12_20": "get 12 20", "get.12": "get 12 12", "GET.12_20": "get 12 20",
		"get-007": "get 7 7", "get-999999999": "get 999999999 999999999", "get-1000000000": "which",
		"get": "which", "get-0": "which", "get-20-12": "which", "get-12-": "which", "get-12-x": "which", "get-1-2-3": "which",
		"get-1__2": "which", "get-_2": "which", "get- 1": "which", "get-１": "which",
		"index": "index 0 0", "index-3": "index 3 3", "index-3-4": "which", "Index.3": "index 3 3",
		"thread": "which", "thread-3": "thread 3 3", "thread-3-9": "thread 3 9",
		"list": "list 0 0", "who": "list 0 0", "list-1": "none", "list.1": "none", "get-": "none", "index.": "none",
		"help.1": "none", "gett-1": "none",
	} {
		c, ok, err := parseCommand(text)
		got := fmt.Sprint(c.Verb, " ", c.From, " ", c.To)
		if errors.Is(err, replyWhichPost) {
			got = "which"
		}
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
