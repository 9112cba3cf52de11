package archive

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"superlist/lists/rewrite"
	"superlist/queue/disk"
)

// OptedOut is the reason of a Removal if the post's author did not want it kept.
const OptedOut = "X-No-Archive"

// OptsOut reports whether the author of a post does not want it kept in archives. Both
// fields come from Usenet; Mailman heeds them too.
func OptsOut(h rewrite.Header) bool {
	no, _, _ := strings.Cut(h.Get("Archive"), ";") // parameters follow: RFC 5536, 3.2.2
	return strings.EqualFold(strings.TrimSpace(h.Get("X-No-Archive")), "yes") || strings.EqualFold(strings.TrimSpace(no), "no")
}

// withhold writes a stub over a post beside its place.
func withhold(f *disk.File, h rewrite.Header, at time.Time) (size int64, err error) {
	b := stubOf(h, at)
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt(b, 0)
	}
	return int64(len(b)), err
}

// stubOf returns what takes the place of a post. It has the fields that name the answered
// posts; otherwise rebuild would lose its thread.
func stubOf(h rewrite.Header, at time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Removed: %s\r\n", at.UTC().Format(timeFormat))
	if refs := references(h); len(refs) > 0 {
		slices.Reverse(refs)
		b.WriteString("References: " + strings.Join(refs, "\r\n ") + "\r\n")
	}
	b.WriteString("\r\nThis post was removed from the archive.\r\n")
	return b.Bytes()
}

// optedOut is the Removal of a post that write has withheld.
func optedOut(e Entry, at time.Time) Removal {
	return Removal{Number: e.Number, Time: at, Hash: e.removal(), Reason: OptedOut}
}
