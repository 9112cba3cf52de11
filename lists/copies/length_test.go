package copies

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// TestSignedLength: a signature over the beginning of a text alone (l=) does not count, with
// a footer behind it or without: RFC 6376, 8.2 lets receivers not trust it, and some do not.
func TestSignedLength(t *testing.T) {
	header, body, _ := strings.Cut(post, "\r\n\r\n")
	signed := func(length string) string {
		sum := sha256.Sum256([]byte(body))
		value := fmt.Sprintf("v=1; a=ed25519-sha256; c=relaxed/relaxed; d=reject.example; s=s; h=From:To;%s bh=%s; b=", length, base64.StdEncoding.EncodeToString(sum[:]))
		data := fmt.Sprintf("from:%s\r\nto:%s\r\ndkim-signature:%s", headerOf(t, post).Get("From"), headerOf(t, post).Get("To"), value)
		sum = sha256.Sum256([]byte(data))
		return "DKIM-Signature: " + value + base64.StdEncoding.EncodeToString(ed25519.Sign(key, sum[:])) + "\r\n" + header + "\r\n\r\n" + body
	}
	for _, test := range []struct {
		length, settings string
		want             Done
	}{
		{"", "", Kept}, {"", "footer = 'x'", Munged}, {fmt.Sprintf(" l=%d;", len(body)), "", Munged},
		{fmt.Sprintf(" l=%d;", len(body)), "footer = 'x'", Munged}, {" l=0;", "", Munged},
	} {
		if c := makeOf(t, listOf(t, test.settings), signed(test.length), world); c.From.Done != test.want {
			t.Errorf("%q, %s: %s, want %s", test.length, test.settings, c.From, test.want)
		}
	}
}

// TestLanguagesJudged: From is the same in all copies, so it becomes the list's if one in
// some language breaks the signature.
func TestLanguagesJudged(t *testing.T) {
	raw := signed(t, post, "reject.example", "From:To:Subject:Date")
	for settings, want := range map[string]Done{"": Kept, "footers = ['de: ']": Kept, "footers = ['de: x']": Munged, "header_texts = ['fr: x']": Munged} {
		if c := makeOf(t, listOf(t, settings), raw, world); c.From.Done != want {
			t.Errorf("%s: %s, want %s", settings, c.From, want)
		}
	}
}
