package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"superlist/smtp/smtptest/recording"
)

const first = "request=smtpd_access_policy\n"

// attributes are n that nobody knows.
func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "later_%d=x\n", i)
	}
	return b.String()
}

// TestLimits has one request on each side of every limit.
func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		said string
		want error
	}{
		"a line":              {first + "sender=" + strings.Repeat("x", maxLine-len("sender=")) + "\n\n", nil},
		"a longer one":        {first + "sender=" + strings.Repeat("x", maxLine-len("sender=")+1) + "\n\n", errLine},
		"attributes":          {first + attributes(maxAttributes-1) + "\n", nil},
		"one more":            {first + attributes(maxAttributes) + "\n", errMany},
		"no name":             {first + "=x\n\n", errForm},
		"no value":            {first + "sender\n\n", errForm},
		"an empty value":      {first + "sender=\n\n", nil},
		"twice":               {first + "sender=a\nsender=b\n\n", errTwice},
		"NUL":                 {first + "sender=a\x00b\n\n", errNUL},
		"CRLF":                {strings.ReplaceAll(first+"\n", "\n", "\r\n"), errForm},
		"nothing":             {"", io.EOF},
		"half a line":         {"request=smtpd", io.ErrUnexpectedEOF},
		"half a request":      {first, io.ErrUnexpectedEOF},
		"an empty request":    {"\n", errWanted},
		"another request":     {"request=junk_mail\n\n", errWanted},
		"a request of SMTP's": {"EHLO client.example\r\n", errForm},
	} {
		if _, err := readRequest(newReader(strings.NewReader(test.said))); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// TestShorten: an answer is cut where Postfix would have to cut it, between characters.
func TestShorten(t *testing.T) {
	full := strings.Repeat("x", maxAction)
	for text, want := range map[string]string{full: full, full + "y": full, full[1:] + "é": full[1:]} {
		if got := shorten(text); got != want {
			t.Errorf("%d bytes are %d", len(text), len(got))
		}
	}
}

func TestCheckAction(t *testing.T) {
	for action, ok := range map[string]bool{"OK": true, "greylist_lists": true, "PREPEND X-List: yes": true,
		"": false, "OK\naction=REJECT": false, strings.Repeat("x", maxAction): true, strings.Repeat("x", maxAction+1): false} {
		if err := checkAction(action); (err == nil) != ok {
			t.Errorf("%.40q: %v", action, err)
		}
	}
}

// FuzzServe: whatever comes, each request has one answer, which is one action and at
// most one list, in that order, and nothing in it can be taken for another.
func FuzzServe(f *testing.F) {
	scripts, err := lang.ReadAll("../../testdata/policy/*.policy")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range scripts {
		f.Add(s.Said('P'))
	}
	d, _ := deskOf(f, &recording.Script{Name: "fuzz"})
	f.Fuzz(func(t *testing.T, said []byte) {
		requests := 0
		for br := newReader(bytes.NewReader(said)); ; requests++ {
			if _, err := readRequest(br); err != nil {
				break
			}
		}
		var out bytes.Buffer
		d.serve(patient{struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(said), &out}})
		answers := strings.SplitAfter(out.String(), "\n\n")
		if len(answers)-1 != requests || answers[len(answers)-1] != "" {
			t.Fatalf("%d requests, %q", requests, out.String())
		}
		for _, a := range answers[:requests] {
			action, rest, _ := strings.Cut(a, "\n")
			list, isList := strings.CutPrefix(rest, "list=")
			if !strings.HasPrefix(action, "action=") || len(action) > len("action=")+maxAction || strings.ContainsAny(action, "\r\x00") ||
				!isList && rest != "\n" || isList && (strings.Count(list, "\n") != 2 || !strings.Contains(list, "@lists.example.org\n")) {
				t.Errorf("%q", a)
			}
		}
	})
}
