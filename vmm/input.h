/* What is typed at the machine's consoles, for the VM that owns the terminal. */
#ifndef VMM_INPUT_H
#define VMM_INPUT_H

/* From now on this core looks for it. Once, and only when a VM owns the terminal. */
void input_start(void);

#endif
