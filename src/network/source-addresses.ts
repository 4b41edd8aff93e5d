/** The source addresses of requests, if several are configured. */
import { BlockList, isIP, SocketAddress } from "node:net";
import { networkInterfaces } from "node:os";
import { hashOf } from "../core/text.ts";

const familyOf = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Returns an IP address in its canonical spelling, so that two spellings count as one address; null if it is invalid. */
export const usualSpelling = (address: string): string | null =>
  isIP(address) === 0
    ? null
    : new SocketAddress({ address, family: familyOf(address) }).address.replace(/^::ffff:(?=\d+\.)/, "");

/** Returns whether an address belongs to this machine; all addresses of a loopback network do. */
export function isOwnAddress(address: string): boolean {
  const own = new BlockList();
  for (const { internal, cidr, ...one } of Object.values(networkInterfaces()).flatMap((all) => all ?? [])) {
    const bits = internal ? cidr?.split("/")[1] : undefined;
    if (bits === undefined) own.addAddress(one.address, familyOf(one.address));
    else own.addSubnet(one.address, Number.parseInt(bits, 10), familyOf(one.address));
  }
  return own.check(address, familyOf(address));
}

/**
 * Returns the source address for requests of an account, always the same for its name; the first one for public requests (null).
 * Returns null if none is configured, so that the system chooses.
 */
export function sourceAddressOf(account: string | null, addresses: readonly string[]): string | null {
  const index = account === null ? 0 : hashOf(`address of ${account}`) % Math.max(addresses.length, 1);
  return addresses[index] ?? null;
}
