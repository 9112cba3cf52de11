package queue

import (
	"bufio"
	"reflect"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

// FuzzHead: whatever is in a file, a head is read from it or it is damaged; what
// is read can be written, unless it has control characters, and reads the same
// then; and the recipients are where it says.
func FuzzHead(f *testing.F) {
	full := Head{
		ID: "1795297644.M123456P4711R8f3a.mx1", Arrived: time.Unix(1795297644, 123456000).UTC(), Client: "[192.0.2.7]:4711 helo=a",
		From: path(f, "alice@example.com"), Body: "8BITMIME", Ret: "HDRS", EnvID: "QQ+2B1", UTF8: true, List: path(f, "dev@lists.example.org"),
		VERP: true, Proved: []smtp.Path{path(f, `"a b"@example.com`)}, Hold: "a virus", Why: "eve is not a member", RequireTLS: true,
		After: []After{{What: AfterInbound, ID: "1.x", K: 7}, {What: AfterHeld, ID: "abc"}},
	}
	for _, h := range []Head{full, {ID: full.ID, Arrived: full.Arrived}} {
		var text strings.Builder
		if _, err := h.write(&text); err != nil {
			f.Fatal(err)
		}
		f.Add(strings.Replace(text.String(), contentLine(0, 0), contentLine(999999, 3), 1) + "T <a@example.com>\n\nabc")
	}
	f.Add(magic + "\nfrom: <>\n")
	f.Add(magic + "\ncontent: -1 -1\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, recipientsAt, contentAt, size, err := readHead(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		if !strings.HasSuffix("\n"+text[:recipientsAt], "\n") || contentAt <= recipientsAt || size < 0 {
			t.Errorf("recipients at %d, content at %d, %d bytes", recipientsAt, contentAt, size)
		}
		var again strings.Builder
		if _, err := got.write(&again); err != nil {
			return
		}
		head := strings.Replace(again.String(), contentLine(0, 0), contentLine(contentAt+int64(again.Len()), size), 1)
		back, _, _, _, err := readHead(bufio.NewReader(strings.NewReader(head)))
		got.Arrived, back.Arrived = got.Arrived.UTC().Truncate(time.Microsecond), back.Arrived.UTC()
		if err != nil || !reflect.DeepEqual(back, got) {
			t.Errorf("%v\nread    %+v\nwritten %+v", err, got, back)
		}
	})
}
