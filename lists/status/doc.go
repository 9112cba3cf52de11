// Package status says how a site is: its lists and members, what waits in the queue and for
// how long, how much it has done, room on its disks, its certificates. It reads, and what
// it says goes to the operator (superlist status) or to a monitoring system (Metrics).
//
// It keeps no index. Ten thousand lists with a million members are counted in about a
// second, since that is one small file and one members file for each list; deliver, which
// writes the metrics once a minute, counts them once an hour and keeps what it found
// (Census).
//
// What a session refuses it does not know: see package logfile.
package status
