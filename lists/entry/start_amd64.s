#include "textflag.h"

// func start()
TEXT ·start(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVL $157, AX // prctl
	MOVL $29, DI // PR_SET_TIMERSLACK
	MOVL $1000000, SI // nanoseconds
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	SYSCALL

	SUBQ $16, SP // a struct rlimit
	MOVL $302, AX // prlimit64
	XORL DI, DI
	MOVL $7, SI // RLIMIT_NOFILE
	XORL DX, DX
	MOVQ SP, R10
	SYSCALL
	TESTQ AX, AX
	JNE runtime

	MOVQ $3, 0(SP) // rlim_cur
	MOVL $302, AX
	XORL DI, DI
	MOVL $7, SI
	MOVQ SP, DX
	XORL R10, R10
	SYSCALL

runtime:
	ADDQ $16, SP
	MOVQ ·memProfileRate(SB), AX
	MOVQ $0, (AX)
	XORL DX, DX // as the kernel leaves it
	JMP _rt0_amd64_linux(SB)
