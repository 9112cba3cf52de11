package milter

import "slices"

// macros are the macros that the MTA sent for each stage.
type macros [stages][]Macro

// inTime lists the stages in the order of a session.
var inTime = [stages]Stage{StageConnect, StageHelo, StageMail, StageRcpt, StageData, StageEOH, StageEOM}

// set stores the macros before a command, and forgets those of later stages: they
// belonged to the previous message or recipient. Macros before a header field, a piece
// of the body or an unknown command belong to no stage, and are dropped.
func (m *macros) set(cmd Command, list []Macro) {
	stage := cmd.row().stage
	if stage == noStage {
		return
	}
	m[stage] = list
	m.forget(cmd)
}

// forget forgets the stages later than a command.
func (m *macros) forget(cmd Command) {
	stage := cmd.row().stage
	if stage == noStage {
		return
	}
	for _, later := range inTime[slices.Index(inTime[:], stage)+1:] {
		m[later] = nil
	}
}

// get looks a name up, the latest stage first. i and {i} are the same.
func (m *macros) get(name string) string {
	name = bare(name)
	for i := range inTime {
		for _, macro := range m[inTime[stages-1-i]] {
			if bare(macro.Name) == name {
				return macro.Value
			}
		}
	}
	return ""
}

// bare returns a macro's name without braces.
func bare(name string) string {
	if n := len(name); n > 2 && name[0] == '{' && name[n-1] == '}' {
		return name[1 : n-1]
	}
	return name
}
