/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The only list of DPDK headers: what bindgen reads and what shim.c compiles against.
 */
#pragma once

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_mbuf.h>
#include <rte_ethdev.h>
#include <rte_version.h>

#include "shim.h"
