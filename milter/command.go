package milter

import "fmt"

// A Command is what the MTA says to the filter.
type Command byte

const (
	CmdOptNeg  Command = 'O' // SMFIC_OPTNEG: version, actions, protocol
	CmdMacro   Command = 'D' // SMFIC_MACRO: macros of the command that follows
	CmdConnect Command = 'C' // SMFIC_CONNECT: the client
	CmdHelo    Command = 'H' // SMFIC_HELO: its HELO name
	CmdMail    Command = 'M' // SMFIC_MAIL: sender and parameters
	CmdRcpt    Command = 'R' // SMFIC_RCPT: recipient and parameters
	CmdData    Command = 'T' // SMFIC_DATA, since version 4
	CmdHeader  Command = 'L' // SMFIC_HEADER: one field
	CmdEOH     Command = 'N' // SMFIC_EOH: end of the header
	CmdBody    Command = 'B' // SMFIC_BODY: a piece of the body
	CmdEOM     Command = 'E' // SMFIC_BODYEOB: end of the message
	CmdUnknown Command = 'U' // SMFIC_UNKNOWN, since version 3: a command that the MTA does not know
	CmdAbort   Command = 'A' // SMFIC_ABORT: abandon the message
	CmdQuit    Command = 'Q' // SMFIC_QUIT: the end
	CmdQuitNC  Command = 'K' // SMFIC_QUIT_NC, since version 6: the end; another client follows on the same connection
)

// A command is one row of the protocol's table.
type command struct {
	cmd     Command
	name    string   // the C name without its prefix SMFIC_
	since   uint32   // the first version with it; 0: all versions
	no      Protocol // the bit that leaves it out; 0: it cannot be left out
	noReply Protocol // the bit that leaves it unanswered; 0: it is always answered, or never
	stage   Stage    // the stage of its macros; noStage: none
	// The command may follow any state from first to last, and leads to the state to;
	// stNew means that it is not a step of a session. The table is libmilter's, which
	// lets a session skip stages that the filter asked to leave out. Here every stage
	// but MAIL may be missing, since an MTA gains nothing by omitting it.
	first, last, to state
	asks            func(*Filter) bool // reports whether the filter has a callback; nil: it is always needed
}

// commands lists all commands.
var commands = [...]command{
	{cmd: CmdOptNeg, name: "OPTNEG", stage: noStage},
	{cmd: CmdMacro, name: "MACRO", stage: noStage},
	{CmdConnect, "CONNECT", 0, NoConnect, NoReplyConnect, StageConnect, stOptions, stOptions, stConnect, func(f *Filter) bool { return f.Connect != nil }},
	{CmdHelo, "HELO", 0, NoHelo, NoReplyHelo, StageHelo, stOptions, stBody, stHelo, func(f *Filter) bool { return f.Helo != nil }},
	{CmdMail, "MAIL", 0, NoMail, NoReplyMail, StageMail, stOptions, stBody, stMail, func(f *Filter) bool { return f.Mail != nil }},
	{CmdRcpt, "RCPT", 0, NoRcpt, NoReplyRcpt, StageRcpt, stMail, stRcpt, stRcpt, func(f *Filter) bool { return f.Rcpt != nil }},
	{CmdData, "DATA", 4, NoData, NoReplyData, StageData, stMail, stRcpt, stData, func(f *Filter) bool { return f.Data != nil }},
	{CmdHeader, "HEADER", 0, NoHeaders, NoReplyHeader, noStage, stMail, stHeader, stHeader, func(f *Filter) bool { return f.Header != nil }},
	{CmdEOH, "EOH", 0, NoEOH, NoReplyEOH, StageEOH, stMail, stHeader, stEOH, func(f *Filter) bool { return f.EOH != nil }},
	{CmdBody, "BODY", 0, NoBody, NoReplyBody, noStage, stMail, stBody, stBody, func(f *Filter) bool { return f.Body != nil || f.KeepBody }},
	{cmd: CmdEOM, name: "BODYEOB", stage: StageEOM, first: stMail, last: stBody, to: stHelo},
	{cmd: CmdUnknown, name: "UNKNOWN", since: 3, no: NoUnknown, noReply: NoReplyUnknown, stage: noStage, asks: func(f *Filter) bool { return f.Unknown != nil }},
	{cmd: CmdAbort, name: "ABORT", stage: noStage},
	{cmd: CmdQuit, name: "QUIT", stage: noStage},
	{cmd: CmdQuitNC, name: "QUIT_NC", since: 6, stage: noStage},
}

// noCommand is the row for a byte that is not a command.
var noCommand = command{stage: noStage}

// row returns the command's row in the table.
func (c Command) row() *command {
	for i := range commands {
		if commands[i].cmd == c {
			return &commands[i]
		}
	}
	return &noCommand
}

// String returns the C name without its prefix SMFIC_.
func (c Command) String() string {
	if name := c.row().name; name != "" {
		return name
	}
	return fmt.Sprintf("%q", byte(c))
}
