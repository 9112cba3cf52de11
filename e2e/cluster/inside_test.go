package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleEnv says what a test binary that starts itself again is to be: the world; init of a
// host; or what init starts.
const roleEnv = "SUPERLIST_CLUSTER_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "init":
		os.Exit(initOfHost())
	case "work":
		work(os.Getenv("HOST_BIN"), os.Getenv("HOST_DIR"))
	}
	os.Exit(m.Run())
}

// initOfHost is process 1 of a host: it starts what the host does, and buries everybody.
func initOfHost() int {
	err := errors.Join(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("proc", "/proc", "proc", 0, ""))
	self, serr := os.Executable()
	if err := errors.Join(err, serr); err != nil {
		fmt.Println(err)
		return 1
	}
	os.Setenv(roleEnv, "work")
	child, err := syscall.ForkExec(self, os.Args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for {
		if pid, err := syscall.Wait4(-1, nil, 0, nil); pid == child || err != nil && !errors.Is(err, syscall.EINTR) {
			return 1
		}
	}
}

// work starts Postfix, and superlist deliver as a timer does.
func work(bin, dir string) {
	say := func(what string, out []byte, err error) {
		if text := strings.TrimSpace(string(out)); err != nil || text != "" {
			fmt.Printf("%s %s: %v: %s\n", time.Now().Format(time.TimeOnly), what, err, text)
		}
	}
	out, err := exec.Command("/usr/sbin/postfix", "-c", dir+"/conf", "start").CombinedOutput()
	say("postfix start", out, err)
	for {
		cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", bin+"/superlist", "-c", dir+"/superlist.toml", "deliver")
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "TZ=" + dir + "/zone"}
		out, err := cmd.CombinedOutput()
		say("deliver", out, err)
		time.Sleep(time.Second)
	}
}
