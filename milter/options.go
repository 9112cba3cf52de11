package milter

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Options are what the two sides agree on: SMFIC_OPTNEG.
type Options struct {
	Version  uint32
	Actions  Actions
	Protocol Protocol
	Macros   [stages][]string // requested by the filter, by Stage
}

// decodeOptions decodes an offer, or the answer to one.
func decodeOptions(data []byte) (Options, error) {
	if len(data) < 12 {
		return Options{}, bad(optNeg, "it is shorter than three numbers")
	}
	o := Options{
		Version:  binary.BigEndian.Uint32(data),
		Actions:  Actions(binary.BigEndian.Uint32(data[4:])),
		Protocol: Protocol(binary.BigEndian.Uint32(data[8:])),
	}
	for data = data[12:]; len(data) > 0; {
		if len(data) < 4 {
			return Options{}, bad(optNeg, "a list of macros without a stage")
		}
		stage := binary.BigEndian.Uint32(data)
		list, rest, ok := cut(data[4:])
		if stage >= stages || !ok {
			return Options{}, bad(optNeg, "a list of macros without an end, or for no stage")
		}
		names := strings.Fields(list)
		if len(names) > MaxMacros {
			return Options{}, bad(optNeg, fmt.Sprintf("more than %d macros", MaxMacros))
		}
		o.Macros[stage], data = names, rest
	}
	return o, nil
}

func (o Options) encode() []byte {
	b := binary.BigEndian.AppendUint32(nil, o.Version)
	b = binary.BigEndian.AppendUint32(b, uint32(o.Actions))
	b = binary.BigEndian.AppendUint32(b, uint32(o.Protocol))
	for stage, names := range o.Macros {
		if len(names) > 0 {
			b = binary.BigEndian.AppendUint32(b, uint32(stage))
			b = append(b, terminated(strings.Join(names, " "))...)
		}
	}
	return b
}

// normal returns an offer as libmilter understands it.
func (o Options) normal() (Options, error) {
	if o.Version < MinVersion {
		return o, fmt.Errorf("%w: the MTA speaks version %d, and at least %d is needed", ErrPacket, o.Version, MinVersion)
	}
	o.Version = min(o.Version, MaxVersion)
	if o.Actions == 0 {
		o.Actions = actionsV1
	}
	if o.Protocol == 0 {
		o.Protocol = protocolZero
	}
	// Packet sizes (SMFIP_MDS_*) only work between sendmail and a libmilter built for
	// them.
	o.Protocol &^= protocolInternal
	return o, nil
}
