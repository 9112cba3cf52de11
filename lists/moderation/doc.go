// Package moderation holds posts until somebody decides, asks who can, and tells authors
// that they wait.
//
// A post is held in a file of the list's directory. What somebody decides is carried out
// by package people, as every request is. A letter that follows from a held post, and from
// no message of inbound, says in its head that it waits until the post is no longer held:
// whoever does that again after a crash does it once.
//
// It refuses to ask a stranger in whose name somebody may have written more than once a
// day, and to give an address that decides to anybody but the one whose it is.
package moderation

import (
	"time"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/confirmation"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/queue"
)

// A Desk is where posts are held.
type Desk struct {
	Site    *site.Site
	Spool   *queue.Spool // outbound is sent from
	Letters *outbox.Outbox
	Log     *maillog.Log
	Now     func() time.Time

	// Verifier knows how an author of a message is known.
	Verifier func(m *queue.Message, l *lists.List, h rewrite.Header) *author.Verifier
	// Finish carries out a decision that was broken off.
	Finish func(l *lists.List, held *queue.Message, d confirmation.Decided) error
}
