package postfix

import (
	"net"
	"path"
	"slices"
	"strings"
)

// A Service is a line of master.cf.
type Service struct {
	Name, Kind, Command string
	Args                []string
	line                string // all of it
}

// Services parses a master.cf, or the output of postconf -M.
func Services(text string) (found []Service) {
	for _, line := range logical(text) {
		if f := Words(line); len(f) >= 8 {
			found = append(found, Service{f[0], f[1], f[7], f[8:], line})
		}
	}
	return found
}

// Port returns the port: the last part of an inet service's name.
func (s Service) Port() string { return s.Name[strings.LastIndexByte(s.Name, ':')+1:] }

// Address returns the address of an inet service, for clients on this host.
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

// submits reports whether people send their mail through the service: RFC 6409 and RFC 8314.
func (s Service) submits() bool {
	return s.Kind == "inet" && s.Command == "smtpd" && slices.Contains([]string{"submission", "587", "smtps", "submissions", "465"}, s.Port())
}

// Program returns the program that spawn(8) starts.
func (s Service) Program() string {
	for _, arg := range s.Args {
		if argv, ok := strings.CutPrefix(arg, "argv="); ok && s.Command == "spawn" {
			return argv
		}
	}
	return ""
}

// Option returns the value of "-o name=value" in the service.
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

// key returns the name that postconf -M uses.
func (s Service) key() string { return s.Name + "/" + s.Kind }

// same reports whether two services have the same address.
func (s Service) same(other Service) bool {
	if s.Kind != other.Kind {
		return false
	}
	if s.Kind == "inet" {
		return s.Port() == other.Port()
	}
	return s.Name == other.Name
}

// does returns the kind of a service and its program: "smtpd", "superlist-spawn".
func (s Service) does() string {
	if program := s.Program(); program != "" {
		return path.Base(program)
	}
	return s.Command
}
