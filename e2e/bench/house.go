package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// insideVar tells the second copy of this program that it has its own mounts.
const insideVar = "SUPERLIST_BENCH_INSIDE"

// enterNamespace starts this program again in a mount namespace of its own, so
// that the peers can be given the user, the libraries and the syslog socket they
// expect without a change to the machine.
func enterNamespace() int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVar+"=private")
	cmd.SysProcAttr = &unix.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	err = cmd.Start()
	if errors.Is(err, unix.EPERM) {
		cmd = exec.Command(self, os.Args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.Env = append(os.Environ(), insideVar+"=shared")
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	cmd.Wait()
	return max(cmd.ProcessState.ExitCode(), 0) | boolInt(!cmd.ProcessState.Exited())
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// private reports whether mounts made here stay here.
func private() bool { return os.Getenv(insideVar) == "private" }

// privateDev gives the namespace a /dev with a syslog socket that is always
// there and always read, so that logging costs the same on every machine.
func privateDev(work string) error {
	if !private() {
		return nil
	}
	dev := filepath.Join(work, "dev")
	if err := os.Mkdir(dev, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", dev, "tmpfs", 0, "mode=755,size=1m"); err != nil {
		return fmt.Errorf("mount %s: %w", dev, err)
	}
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		path := filepath.Join(dev, name)
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return fmt.Errorf("mknod %s: %w", name, err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(to, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dev, "log")})
	if err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(dev, "log"), 0o666); err != nil {
		return err
	}
	go drain(log)
	if err := unix.Mount(dev, "/dev", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount over /dev: %w", err)
	}
	// Where it was made it would only keep the directory from being removed.
	return unix.Unmount(dev, unix.MNT_DETACH)
}

func drain(log *net.UnixConn) {
	line := make([]byte, 8192)
	for {
		if _, err := log.Read(line); err != nil {
			return
		}
	}
}

// privateEtc gives the namespace a copy of /etc, which fill may change.
func privateEtc(work string, fill func(etc string) error) error {
	if !private() {
		return errors.New("no mount namespace to give it its files in")
	}
	etc := filepath.Join(work, "etc")
	if out, err := exec.Command("cp", "-a", "/etc", etc).CombinedOutput(); err != nil {
		return fmt.Errorf("copy of /etc: %w: %s", err, tail(out))
	}
	if err := fill(etc); err != nil {
		return err
	}
	if err := unix.Mount(etc, "/etc", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount over /etc: %w", err)
	}
	return nil
}

// addUser makes name known to those who read etc.
func addUser(etc, name string, id int) error {
	for file, line := range map[string]string{
		"passwd": fmt.Sprintf("%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n", name, id, id),
		"group":  fmt.Sprintf("%s:x:%d:\n", name, id),
	} {
		path := filepath.Join(etc, file)
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains("\n"+string(old), "\n"+name+":") {
			continue
		}
		if err := os.WriteFile(path, append(old, line...), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// addLibraries makes the linker find libraries in dirs the way it finds
// installed ones, through its cache: LD_LIBRARY_PATH would cost the peer a
// search at each start.
func addLibraries(etc string, dirs []string) error {
	args := append([]string{"-X", "-C", filepath.Join(etc, "ld.so.cache")}, dirs...)
	if out, err := exec.Command("/sbin/ldconfig", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ldconfig: %w: %s", err, out)
	}
	return nil
}

// onMemory reports whether dir is on a file system without a disk.
func onMemory(dir string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return true
	}
	return st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC
}

// build compiles our programs and the small ones the bench needs.
func build(work string) (string, error) {
	bin := filepath.Join(work, "bin")
	if err := compile(".", bin, "superlist/e2e/bench/floor", "superlist/e2e/bench/floorweb", "superlist/e2e/bench/rss"); err != nil {
		return "", err
	}
	if out, err := exec.Command("make", "-s", "build", "BIN="+bin).CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, out)
	}
	return bin, install(bin)
}

// compile builds programs in Go that are not ours of today: with cgo, package net would
// bring the dynamic linker and the C library into every start.
func compile(dir, bin string, packages ...string) error {
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", bin + "/"}, packages...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return install(bin)
}

// install puts copies in the place of programs, as make install does, and every
// package. In memory the linker's own file lies a page at a time and a copy in
// larger pieces, which makes every start of ours a tenth faster: a start maps a
// few hundred pages.
func install(bin string) error {
	programs, err := os.ReadDir(bin)
	if err != nil {
		return err
	}
	for _, p := range programs {
		built := filepath.Join(bin, p.Name())
		content, err := os.ReadFile(built)
		if err == nil {
			err = os.WriteFile(built+".copy", content, 0o755)
		}
		if err == nil {
			err = os.Rename(built+".copy", built)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tail is the last line that a program has said.
func tail(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
