// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU TCG plugin: how often each block of the guest's code ran while it counted. Arguments: out=FILE; at the end it
 * holds a line "ADDRESS INSTRUCTIONS TIMES" for each block, the address in hex. begin=ADDRESS, end=ADDRESS: counting goes
 * on from when the guest calls the function at the one address, until it calls the other.
 * Debian has no package with QEMU's plugin header, so what is used of that interface is declared here; its version 4 is
 * that of QEMU 10.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*fn)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*fn)(unsigned int, void *), int flags,
					  void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*fn)(qemu_plugin_id_t, void *), void *data);

int qemu_plugin_version = 4;

#define BLOCKS (1 << 20)

static struct block {
	uint64_t address, instructions, times;
} blocks[BLOCKS];
static unsigned int used;
static char out[4096];
static uint64_t begin_at, end_at;
static int counting;

static void ran(unsigned int cpu, void *block)
{
	(void)cpu;
	if (counting)
		((struct block *)block)->times++;
}

static void set_counting(unsigned int cpu, void *to)
{
	(void)cpu;
	counting = !!to;
}

/* The same block may be translated more than once. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb), n = qemu_plugin_tb_n_insns(tb);
	uint64_t at = ((address * 11400714819323198485ull) + n * 0x9e3779b1) >> 44;

	(void)id;
	if (address == begin_at || address == end_at)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, set_counting, 0, address == begin_at ? &counting : NULL);
	while (blocks[at].instructions && (blocks[at].address != address || blocks[at].instructions != n))
		at = (at + 1) % BLOCKS;
	if (!blocks[at].instructions && ++used > BLOCKS / 4 * 3) {
		fprintf(stderr, "count: more than %d blocks\n", BLOCKS / 4 * 3);
		abort();
	}
	blocks[at].address = address;
	blocks[at].instructions = n;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, ran, 0, &blocks[at]);
}

static void end(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(out, "w");

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i].times)
			fprintf(file, "%llx %llu %llu\n", (unsigned long long)blocks[i].address,
				(unsigned long long)blocks[i].instructions, (unsigned long long)blocks[i].times);
	fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4) && strlen(argv[i]) < sizeof(out))
			strcpy(out, argv[i] + 4);
		else if (!strncmp(argv[i], "begin=", 6))
			begin_at = strtoull(argv[i] + 6, NULL, 16);
		else if (!strncmp(argv[i], "end=", 4))
			end_at = strtoull(argv[i] + 4, NULL, 16);
	}
	if (!out[0] || !begin_at || !end_at) {
		fprintf(stderr, "count: takes out=FILE, begin=ADDRESS and end=ADDRESS\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, end, NULL);
	return 0;
}
