/** Saves a chart as PNG, with its title and legend. */

/** @typedef {{ title: string, lines: { label: string, color: string, dash: number[] }[] }} Caption */

const margin = 16;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Caption} caption
 * @param {(name: string) => string} color
 * @param {string} file
 */
export function saveImage(canvas, { title, lines }, color, file) {
  const ratio = devicePixelRatio;
  const picture = document.createElement("canvas");
  picture.width = canvas.width + 2 * margin * ratio;
  picture.height = canvas.height + (44 + 2 * margin) * ratio;
  const context = picture.getContext("2d");
  if (!context) return;
  context.fillStyle = color("--card");
  context.fillRect(0, 0, picture.width, picture.height);
  context.scale(ratio, ratio);
  context.fillStyle = color("--ink");
  context.textBaseline = "middle";
  context.font = "600 15px system-ui";
  context.fillText(title, margin, margin + 8);
  context.font = "13px system-ui";
  let left = margin;
  for (const { label, color: stroke, dash } of lines) {
    context.strokeStyle = stroke;
    context.lineWidth = 2.5;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(left, margin + 32);
    context.lineTo(left + 24, margin + 32);
    context.stroke();
    context.fillText(label, left + 30, margin + 32);
    left += 50 + context.measureText(label).width;
  }
  context.drawImage(canvas, margin, margin + 44, canvas.width / ratio, canvas.height / ratio);
  picture.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
}
