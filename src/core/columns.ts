/**
 * The words a table is described with. They say what a value is, not how a database keeps it; `store/tables.ts` knows
 * that for SQLite.
 */

/** text: as it is. decimal: digits, exactly as received. millis: epoch ms UTC. flag: 0 or 1. */
export type Kind = "text" | "decimal" | "millis" | "flag";

interface Traits {
  required?: boolean;
  isVolatile?: boolean;
  isAddedLater?: boolean;
}

/** `Cell` is the type of a value in this column, null included unless it is required. */
export class Column<Cell = unknown> {
  readonly kind: Kind;
  readonly required: boolean;
  /** True for values that move in nearly every snapshot; they are kept apart from those that rarely do. */
  readonly isVolatile: boolean;
  /** True for a column that its dataset did not have from the start; what was stored before has NULL in it. */
  readonly isAddedLater: boolean;
  declare readonly cell: Cell;

  constructor(kind: Kind, { required = false, isVolatile = false, isAddedLater = false }: Traits = {}) {
    this.kind = kind;
    this.required = required;
    this.isVolatile = isVolatile;
    this.isAddedLater = isAddedLater;
  }

  notNull(): Column<NonNullable<Cell>> {
    return new Column<NonNullable<Cell>>(this.kind, { ...this, required: true });
  }

  volatile(): Column<Cell> {
    return new Column<Cell>(this.kind, { ...this, isVolatile: true });
  }

  /** For every column that a dataset gets after its first release; never required, nor part of the key. */
  addedLater(): Column<Cell | null> {
    return new Column<Cell | null>(this.kind, { ...this, required: false, isAddedLater: true });
  }
}

export const text = (): Column<string | null> => new Column("text");
export const decimal = (): Column<string | null> => new Column("decimal");
export const millis = (): Column<number | null> => new Column("millis");
export const flag = (): Column<0 | 1 | null> => new Column("flag");

export type Columns = Readonly<Record<string, Column>>;

/** A row of these columns: every one of them named, so that a mapper cannot forget one. */
export type RowOf<C extends Columns> = { [Name in keyof C]: C[Name]["cell"] };

/** `liquidationPrice` -> `liquidation_price`, the spelling of the database. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
