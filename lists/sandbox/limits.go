package sandbox

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"superlist/smtp"
)

// Limits of one session, setrlimit(2). Each is far above what a session needs and far
// below what would hurt the host: reaching one is a mistake of ours.
//
// RLIMIT_AS is not among them, since the runtime reserves more than a gigabyte that it
// never touches; neither is RLIMIT_NPROC, which counts the processes of all sessions
// together.
const (
	// MaxMemory: a session has some megabytes whatever its message, and
	// superlist-session takes up to 256 MiB for a password (argon2id).
	MaxMemory = 512 << 20
	// MaxFiles: standard descriptors, log, message, list, a directory, the
	// runtime's own, and as many again.
	MaxFiles = 64
	// MaxSeconds is processor time: a session of an hour needs one or two. Without it,
	// an endless loop would run until somebody notices.
	MaxSeconds = 600

	// maxHead is how much may precede a message in its file: a line for each recipient,
	// and a Received field.
	maxHead = (smtp.MaxRecipients + 1) * 4 << 10
)

// limit sets the limits.
func (b Box) limit() error {
	type limit struct {
		name     string
		resource int
		max      uint64
	}
	limits := []limit{
		{"core", unix.RLIMIT_CORE, 0}, // it may contain a post, or a password
		{"data", unix.RLIMIT_DATA, MaxMemory},
		{"nofile", unix.RLIMIT_NOFILE, MaxFiles},
		{"cpu", unix.RLIMIT_CPU, MaxSeconds},
	}
	if !filepath.IsAbs(b.Site.Log) { // a log may be larger than any message
		limits = append(limits, limit{"fsize", unix.RLIMIT_FSIZE, uint64(b.Site.MaxMessageSize) + maxHead})
	}
	for _, l := range limits {
		var now unix.Rlimit // if the launcher has set a lower limit, that stays
		err := unix.Getrlimit(l.resource, &now)
		if err == nil {
			err = unix.Setrlimit(l.resource, &unix.Rlimit{Cur: min(now.Cur, l.max), Max: min(now.Max, l.max)})
		}
		if err != nil {
			return fmt.Errorf("sandbox: limit of %s: %w", l.name, err)
		}
	}
	return nil
}
