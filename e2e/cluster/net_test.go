package cluster

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The namespaces are on one bridge, which is the world's.
const (
	worldIP    = "10.77.0.1"
	databaseIP = "10.77.0.20"
	// people are addresses of the world, a network for each of its people.
	people = "10.128.0.0/9"
)

func hostIP(n int) string   { return fmt.Sprintf("10.77.0.%d", 10+n) }
func hostName(n int) string { return fmt.Sprintf("mx%d", n) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run is a command that must succeed.
func run(t testing.TB, line string) {
	t.Helper()
	args := strings.Fields(line)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// network makes the namespaces and the bridge. The calling process is the world.
func network(t testing.TB) {
	must(t, unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must(t, unix.Mount("run", "/run", "tmpfs", 0, "mode=755"))
	run(t, "ip link set lo up")
	run(t, "ip link add br0 type bridge")
	run(t, "ip addr add "+worldIP+"/24 dev br0")
	run(t, "ip link set br0 up")
	run(t, "ip route add local "+people+" dev lo")
	// Every datagram of people's goes by the bridge.
	must(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644))
	join := func(name, ip string) {
		run(t, "ip netns add "+name)
		run(t, "ip link add "+name+" type veth peer name eth0 netns "+name)
		run(t, "ip link set "+name+" master br0 up")
		run(t, "ip -n "+name+" link set lo up")
		run(t, "ip -n "+name+" addr add "+ip+"/24 dev eth0")
		run(t, "ip -n "+name+" link set eth0 up")
		run(t, "ip -n "+name+" route add default via "+worldIP)
	}
	for n := 1; n <= hosts; n++ {
		join(hostName(n), hostIP(n))
	}
	join("db", databaseIP)
}

// within calls do in a network namespace. What do starts is there, and stays there.
func within(ns string, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocks it: the thread ends with this goroutine
		done <- func() error {
			f, err := os.Open("/run/netns/" + ns)
			if err != nil {
				return err
			}
			defer f.Close()
			if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
				return os.NewSyscallError("setns", err)
			}
			return do()
		}()
	}()
	return <-done
}

// nowhere is the hardware address of nothing on the bridge.
const nowhere = "02:00:00:00:00:99"

// cut has nothing come through between a host and the database: both send to nowhere, and
// neither is told.
func cut(t testing.TB, n int) {
	run(t, fmt.Sprintf("ip -n %s neigh replace %s lladdr %s dev eth0 nud permanent", hostName(n), databaseIP, nowhere))
	run(t, fmt.Sprintf("ip -n db neigh replace %s lladdr %s dev eth0 nud permanent", hostIP(n), nowhere))
}

func mend(t testing.TB, n int) {
	run(t, fmt.Sprintf("ip -n %s neigh del %s dev eth0", hostName(n), databaseIP))
	run(t, fmt.Sprintf("ip -n db neigh del %s dev eth0", hostIP(n)))
}

// someone is the address of the nth of the people.
func someone(n int) net.IP { return net.IPv4(10, byte(128+n>>8&0x7f), byte(n), 7) }
