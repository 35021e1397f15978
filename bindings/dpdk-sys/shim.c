/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One C function per static inline of DPDK that we call. Nothing here decides anything.
 */
#include <string.h>

#include "wrapper.h"

#define FIELD_IS(field, type) \
	_Static_assert(sizeof(((struct rte_mbuf *)0)->field) == sizeof(type), "rte_mbuf." #field " changed its width")

FIELD_IS(buf_addr, void *);
FIELD_IS(data_off, uint16_t);
FIELD_IS(refcnt, uint16_t);
FIELD_IS(nb_segs, uint16_t);
FIELD_IS(port, uint16_t);
FIELD_IS(ol_flags, uint64_t);
FIELD_IS(pkt_len, uint32_t);
FIELD_IS(data_len, uint16_t);
FIELD_IS(vlan_tci, uint16_t);
FIELD_IS(hash.rss, uint32_t);
FIELD_IS(buf_len, uint16_t);
FIELD_IS(pool, void *);
FIELD_IS(next, void *);

int shim_errno(void)
{
	return rte_errno;
}

unsigned int shim_lcore_id(void)
{
	return rte_lcore_id();
}

uint64_t shim_tsc(void)
{
	return rte_rdtsc();
}

struct rte_mbuf *shim_pktmbuf_alloc(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

int shim_pktmbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int count)
{
	return rte_pktmbuf_alloc_bulk(pool, mbufs, count);
}

void shim_pktmbuf_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

uint16_t shim_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_rx_burst(port, queue, mbufs, count);
}

uint16_t shim_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(port, queue, mbufs, count);
}

int shim_eth_link_get_nowait(uint16_t port, struct shim_link *link)
{
	struct rte_eth_link raw;
	int ret;

	memset(&raw, 0, sizeof(raw));
	ret = rte_eth_link_get_nowait(port, &raw);
	link->speed_mbps = raw.link_speed;
	link->up = raw.link_status;
	link->full_duplex = raw.link_duplex;
	return ret;
}
