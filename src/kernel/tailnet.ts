// Which addresses belong to a tailnet. Source: the ranges Tailscale gives to its nodes.
import { BlockList, isIPv6 } from 'node:net';

const TAILNET = new BlockList();
TAILNET.addSubnet('100.64.0.0', 10, 'ipv4');
TAILNET.addSubnet('fd7a:115c:a1e0::', 48, 'ipv6');

/** Whether an IP address, also an IPv4 one written as IPv6, is of a tailnet; false for what is no address. */
export function isTailnet(address: string): boolean {
  return TAILNET.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
