package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/e2e/figures"
)

// note keeps a figure, and says whether it is as wanted. What is not counts as
// missed.
func (b *bench) note(f figures.Figure) string {
	b.figures = append(b.figures, f)
	switch {
	case f.Want == 0:
		return "for information"
	case f.Met():
		return wanted(f) + "  PASS"
	}
	b.failed = append(b.failed, f.What)
	return wanted(f) + "  FAIL"
}

// goal keeps a figure that is not as good as we want it yet: no run fails for it.
func (b *bench) goal(f figures.Figure) string {
	b.figures = append(b.figures, f)
	if f.Met() {
		return wanted(f) + "  met"
	}
	return wanted(f) + "  not met"
}

func wanted(f figures.Figure) string {
	unit := f.Unit
	if f.Peer != "" {
		unit = ""
	}
	return strings.TrimSpace(fmt.Sprintf("want %s %.5g %s", map[bool]string{false: "≤", true: "≥"}[f.More], f.Want, unit))
}

// paired is the figure of two contenders in a race, by the wall clock.
func paired(what string, ours, peer *contender) (f figures.Figure, line string) {
	mid, line := ratio(ours, peer)
	return figures.Figure{What: what, Unit: "ms", Ours: inMS(median(ours.took)), Peer: peer.name, Theirs: inMS(median(peer.took)), Ratio: mid}, line
}

// used is the same by processor time.
func used(what string, ours, peer *contender) figures.Figure {
	f := figures.Figure{What: what + ", processor time", Unit: "ms of CPU", Ours: inMS(median(ours.cpu)), Peer: peer.name, Theirs: inMS(median(peer.cpu))}
	f.Ratio = f.Ours / f.Theirs
	return f
}

func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// want is the figure with what is wanted of it.
func want(f figures.Figure, most float64) figures.Figure {
	f.Want = most
	return f
}

// keep puts what a part has measured into the file of -json.
func (b *bench) keep(part string, took time.Duration) error {
	if b.json == "" || len(b.figures) == 0 {
		return nil
	}
	file, err := figures.Read(b.json)
	if err != nil {
		return err
	}
	file.Put(figures.Run{
		Part: part, Command: "go run ./e2e/bench -only " + part, Date: time.Now().Format(time.DateOnly),
		Machine: machine(b.work), Versions: b.all(), Seconds: took.Round(time.Second).Seconds(), Figures: b.figures,
	})
	return file.Write(b.json)
}

// all are the versions of what has run.
func (b *bench) all() []string {
	vs := []string{"superlist " + b.commit, "Go " + strings.TrimPrefix(runtime.Version(), "go")}
	for _, name := range slices.Sorted(maps.Keys(b.versions)) {
		vs = append(vs, name+" "+b.versions[name])
	}
	return vs
}

// postfix notes the version of the Postfix that is installed.
func (b *bench) postfix() {
	if out, err := exec.Command("/usr/sbin/postconf", "-h", "mail_version").Output(); err == nil {
		b.versions["Postfix"] = strings.TrimSpace(string(out))
	}
}

// commit is of the source: -json changes a file of it.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty=+").Output()
	if err != nil {
		return "without a history"
	}
	return strings.TrimSpace(string(out))
}

// fileSystems are the names of what statfs calls by a number.
var fileSystems = map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.OVERLAYFS_SUPER_MAGIC: "overlayfs", 0x2fc12fc1: "zfs"}

// machine says what this one is.
func machine(dir string) string {
	var st unix.Statfs_t
	unix.Statfs(dir, &st)
	var name unix.Utsname
	unix.Uname(&name)
	release, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
	var mem unix.Sysinfo_t
	unix.Sysinfo(&mem)
	return fmt.Sprintf("%d processors, %s; %.0f GiB; %s; Linux %s", runtime.NumCPU(), processor(),
		float64(uint64(mem.Totalram)*uint64(mem.Unit))/(1<<30), cmp.Or(fileSystems[int64(st.Type)], "some file system"), release)
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
