package queue

import (
	"strings"
	"testing"
	"time"
)

// TestShortID: a person types the random part and the suffix of an id, whichever network
// the message came from. Other names stay as they are.
func TestShortID(t *testing.T) {
	for id, want := range map[string]string{
		"1795297644.M123456P4711R8f3a12cd.mx1":        "8f3a12cd",
		"1795297644.M123456P4711R8f3a12cd.mx1.0":      "8f3a12cd.0",
		"1795297644.M123456P4711R8f3a12cdN0ab.mx1":    "8f3a12cd",
		"1795297644.M123456P4711R8f3a12cdN0ab.mx1.12": "8f3a12cd.12",
		"1795297644.M123456P4711R8f3a12cd.mx2":        "1795297644.M123456P4711R8f3a12cd.mx2",
		"1795297644.M123456P4711R.mx1":                "1795297644.M123456P4711R.mx1",
		"1795297644.M123456P4711Rxyz.mx1":             "1795297644.M123456P4711Rxyz.mx1",
		"R8f3a12cd.mx1":                               "R8f3a12cd.mx1",
		"digest-1":                                    "digest-1",
		"":                                            "",
	} {
		if got := ShortID(id, "mx1"); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	now := time.Unix(1795297644, 0)
	for _, host := range []string{"mx1.example.org", strings.Repeat("long.", 50) + "example"} {
		id := (&Spool{Host: host}).newName(now, ShareOf("192.0.2.0/24"))
		if got := ShortID(id, host); len(got) != 8 || !strings.Contains(id, "R"+got+"N") {
			t.Errorf("%s is %s", id, got)
		}
		if at, ok := Came(id); !ok || !at.Equal(now) {
			t.Errorf("%s came at %v, %v", id, at, ok)
		}
	}
	if _, ok := Came("digest-1"); ok {
		t.Error("a name without a time has one")
	}
}
