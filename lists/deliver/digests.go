package deliver

import (
	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/copies"
	"superlist/lists/digest"
	"superlist/queue"
)

// Digests returns the digests of the site's lists.
func (r *Runner) Digests() *digest.Digests {
	return &digest.Digests{Site: r.Site, Spool: r.Spool, Log: r.Log, Now: r.now}
}

// keepForDigest keeps a post for a digest.
func (r *Runner) keepForDigest(m *queue.Message, l *lists.List, id string, made *copies.Copies) (number int, err error) {
	return r.Digests().Keep(l, func(posts *archive.Store) (int, error) { return r.archive(m, posts, id, made) })
}
