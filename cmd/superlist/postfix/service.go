package postfix

import (
	"net"
	"path"
	"strings"
)

// A Service is a line of master.cf.
type Service struct {
	Name, Kind, Command string
	Args                []string
	line                string // all of it
}

// Services are those of a master.cf, or of what postconf -M prints.
func Services(text string) (found []Service) {
	for _, line := range logical(text) {
		if f := Words(line); len(f) >= 8 {
			found = append(found, Service{f[0], f[1], f[7], f[8:], line})
		}
	}
	return found
}

// Port is the last part of an inet service's name.
func (s Service) Port() string { return s.Name[strings.LastIndexByte(s.Name, ':')+1:] }

// Address is where an inet service is reached from this host.
func (s Service) Address() string {
	host, port := "127.0.0.1", s.Port()
	if h := strings.Trim(strings.TrimSuffix(strings.TrimSuffix(s.Name, port), ":"), "[]"); h != "" && h != "0.0.0.0" && h != "::" && h != "*" {
		host = h
	}
	if port == "smtp" {
		port = "25"
	}
	return net.JoinHostPort(host, port)
}

// Program is the one that spawn(8) starts.
func (s Service) Program() string {
	for _, arg := range s.Args {
		if argv, ok := strings.CutPrefix(arg, "argv="); ok && s.Command == "spawn" {
			return argv
		}
	}
	return ""
}

// Option is what "-o name=value" of the service says.
func (s Service) Option(name string) (value string, ok bool) {
	for i, arg := range s.Args {
		if i == 0 || s.Args[i-1] != "-o" {
			continue
		}
		n, v, _ := strings.Cut(strings.TrimSpace(strings.Trim(arg, "{}")), "=")
		if strings.TrimSpace(n) == name {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

// key is what postconf -M calls it.
func (s Service) key() string { return s.Name + "/" + s.Kind }

// same says that two services are at one place.
func (s Service) same(other Service) bool {
	if s.Kind != other.Kind {
		return false
	}
	if s.Kind == "inet" {
		return s.Port() == other.Port()
	}
	return s.Name == other.Name
}

// does says what a service does, and with what program: "smtpd", "superlist-spawn".
func (s Service) does() string {
	if program := s.Program(); program != "" {
		return path.Base(program)
	}
	return s.Command
}
