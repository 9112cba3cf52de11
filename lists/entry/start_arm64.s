#include "textflag.h"

// func start()
TEXT ·start(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVD $167, R8 // prctl
	MOVD $29, R0 // PR_SET_TIMERSLACK
	MOVD $1000000, R1 // nanoseconds
	MOVD ZR, R2
	MOVD ZR, R3
	MOVD ZR, R4
	SVC

	SUB $16, RSP // a struct rlimit
	MOVD $261, R8 // prlimit64
	MOVD ZR, R0
	MOVD $7, R1 // RLIMIT_NOFILE
	MOVD ZR, R2
	MOVD RSP, R3
	SVC
	CBNZ R0, runtime

	MOVD $3, R4
	MOVD R4, 0(RSP) // rlim_cur
	MOVD $261, R8
	MOVD ZR, R0
	MOVD $7, R1
	MOVD RSP, R2
	MOVD ZR, R3
	SVC

runtime:
	ADD $16, RSP
	MOVD ·memProfileRate(SB), R4
	MOVD ZR, (R4)
	JMP _rt0_arm64_linux(SB)
