// Package moderation holds posts until somebody decides, asks those who can, and tells
// authors that their posts wait.
//
// A held post is a file in the list's directory. Package people carries out decisions,
// as it does all requests. A letter that follows from a held post, and not from a
// message in inbound, waits until the post is no longer held; its head says so. So a
// repetition after a crash has no further effect.
//
// The package refuses to ask a stranger, in whose name somebody else may have written,
// more than once a day, and to give an address for deciding to anybody but the person
// it was made for.
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

// A Desk holds posts.
type Desk struct {
	Site    *site.Site
	Spool   *queue.Spool // outbound is sent from it
	Letters *outbox.Outbox
	Log     *maillog.Log
	Now     func() time.Time

	// Verifier returns the verifier of the authors of a message.
	Verifier func(m *queue.Message, l *lists.List, h rewrite.Header) *author.Verifier
	// Finish completes an interrupted decision.
	Finish func(l *lists.List, held *queue.Message, d confirmation.Decided) error
}
