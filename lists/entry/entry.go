// Package entry is how a program that serves one connection on the descriptors it
// was started with comes in and goes out: standard error moved away from the
// client, the configuration read, root given up, the log open, the peer known.
// Every such program goes through it, so that they differ in their protocol
// alone.
//
// It refuses to write to standard error, which under spawn(8) and inetd is the
// client, and links nothing that a plain session does not need.
package entry

import (
	"fmt"

	"golang.org/x/sys/unix"

	"superlist/lists/maillog"
	"superlist/lists/sandbox"
	"superlist/lists/site"
)

// MilterProgram is the program that serves milter sessions; it remembers what it
// has taken.
const MilterProgram = "superlist-milter"

// WebProgram is the program that answers HTTP requests.
const WebProgram = "superlist-web"

// PolicyProgram is the program that tells Postfix what is refused at RCPT; it puts no
// message into the spool.
const PolicyProgram = "superlist-policy"

// hideStderr moves standard error out of the client's socket. It is the first
// thing to do, before anything can be said there.
func hideStderr() error {
	null, err := unix.Open("/dev/null", unix.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("/dev/null: %w", err)
	}
	defer unix.Close(null)
	return unix.Dup3(null, 2, 0)
}

// Open reads the configuration, becomes the user that it names, opens the log,
// into which the runtime's last words then go too, and shuts the process into its
// sandbox. A log that cannot be opened is not an error: mail goes on without it, and
// syslog may know.
func Open(config, program string) (*site.Site, *maillog.Log, error) {
	site, err := site.Load(site.ConfigFile(config))
	if err == nil {
		err = site.BecomeUser()
	}
	if err != nil {
		return nil, nil, err
	}
	log, err := maillog.Open(site.Log, site.LogLevel, program)
	if err != nil {
		Fallback(program).Printf(maillog.Err, "%v", err)
	}
	if f := log.File(); f != nil {
		unix.Dup3(int(f.Fd()), 2, 0)
	}
	b := box(site)
	b.Milter, b.Web, b.Policy = program == MilterProgram, program == WebProgram, program == PolicyProgram
	return site, log, shutIn(b, log)
}

// shutIn enters the sandbox.
func shutIn(b sandbox.Box, log *maillog.Log) error {
	if log.Takes(maillog.Debug) {
		log.Printf(maillog.Debug, "sandbox landlock=%d seccomp=%t: from here on this process may only %s", sandbox.Kernel(), sandbox.Filters(), b)
	}
	return b.Enter()
}

// box is what the programs of a site are shut into.
func box(site *site.Site) sandbox.Box {
	b := sandbox.Box{Site: site}
	if site.HandsOver() {
		b.Session, _ = beside() // HandOver says what is wrong with it
	}
	return b
}

// Fallback is the log where the configuration gives none.
func Fallback(program string) *maillog.Log {
	log, _ := maillog.Open("syslog", "info", program)
	return log
}
