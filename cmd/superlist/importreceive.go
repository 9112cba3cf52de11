package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/migrate"
	"superlist/lists/site"
	"superlist/smtp"
)

// sendTo makes a list of a parcel. The files of a parcel may be readable by root only,
// and root must not write lists. A process of its own then becomes the user and
// receives the parcel.
func (a *app) sendTo(c *cobra.Command, site *site.Site, v *arrival, parcel *migrate.Parcel) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		sent <- parcel.Send(w)
		w.Close()
	}()
	if os.Geteuid() == 0 && site.User != "" {
		err = a.receiveApart(c, v, r)
	} else {
		err = a.receive(c, v, r)
	}
	r.Close()
	// If the reader finished first, writing has failed too.
	if failed := <-sent; failed != nil && (err == nil || errors.Is(err, migrate.ErrParcel) || errors.Is(err, errSaid)) && !errors.Is(failed, unix.EPIPE) {
		return failed
	}
	return err
}

// receiveApart runs receive in a separate process.
func (a *app) receiveApart(c *cobra.Command, v *arrival, r *os.File) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	other := exec.CommandContext(c.Context(), self, append([]string{"-c", site.ConfigFile(a.config), "import", "list", "-"}, v.args()...)...)
	other.Args[0] = os.Args[0]
	other.Stdin, other.Stdout, other.Stderr = r, c.OutOrStdout(), c.ErrOrStderr()
	err = other.Run()
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit):
		return err
	case exit.ExitCode() > 0:
		return &exitError{exit.ExitCode(), errSaid}
	}
	return &exitError{exTempFail, fmt.Errorf("what writes the list was stopped (%v), and nothing of it is there; begin again", exit)}
}

// receive makes a list of a parcel, and prints the report.
func (a *app) receive(c *cobra.Command, v *arrival, r io.Reader) error {
	site, err := a.site()
	if err != nil {
		return err
	}
	bar := newProgress()
	defer bar.end()
	t := migrate.Target{Site: site, Again: v.again, DryRun: v.dryRun, Step: bar.step}
	if v.as != "" && v.into != "" {
		return usageError{errors.New("--as makes a new list, and --into does not: say one of them")}
	}
	if v.as != "" {
		if t.As, err = parseAddress(v.as); err != nil {
			return err
		}
	}
	if v.into != "" {
		if t.Into, err = openList(site, v.into); err != nil {
			return err
		}
	}
	report, err := t.Receive(r)
	bar.end()
	if errors.Is(err, fs.ErrExist) {
		return &exitError{exCantCreate, errors.New("there is such a list already, and it was left as it is; --as gives another address, --into takes the members alone")}
	}
	if err != nil {
		return err
	}
	if list, ok := smtp.ParseAddress(report.List); ok && !report.DryRun {
		logged(c, site, "imported", list, "from=%s members=%d held=%d posts=%d", report.From, report.Members, report.Held, report.Archive)
		if l, err := lists.Of(site).Open(list); err == nil { // a list that is damaged has no pages yet
			if err := pagesAfter(site, l); err != nil {
				return err
			}
		}
	}
	return showReport(c, v, report)
}

// showReport prints what became of a list.
func showReport(c *cobra.Command, v *arrival, r migrate.Report) error {
	if v.json {
		return show(c, true, r, nil)
	}
	out := c.OutOrStdout()
	if len(r.Taken) > 0 {
		fmt.Fprintln(out, "Taken over:")
		t := table{""}.rows()
		for _, taken := range r.Taken {
			t.add("  "+taken.What, taken.As)
		}
		if err := t.print(out); err != nil {
			return err
		}
	}
	if len(r.Left) > 0 {
		fmt.Fprintln(out, "\nNot taken over:")
		for _, left := range r.Left {
			fmt.Fprintln(out, printable("  "+left.What+": "+left.Why))
			if left.Instead != "" {
				fmt.Fprintln(out, printable("      instead: "+left.Instead))
			}
		}
		fmt.Fprintln(out)
	}
	verb := "made"
	switch {
	case r.DryRun:
		verb = "nothing was changed; it would be"
	case v.into != "":
		verb = "added to"
	}
	fmt.Fprintf(out, "%s %s: members %d", verb, printable(r.List), r.Members)
	if more := others(r.There, 0, r.Out); more != "" {
		fmt.Fprintf(out, " (%s)", strings.TrimPrefix(more, ", "))
	}
	fmt.Fprintf(out, ", held posts %d, archive %d\n", r.Held, r.Archive)
	return nil
}
