"""What is said with companies: many cars, groups, costs, breakdowns, claims, suppliers."""

TEXT = """
== flota_servicio | Flotillas
x< {hola}, esta semana le toca servicio a la {auto} placas {placa}. ¿Qué día la reciben?
  | {hola}, programemos por favor la {placa}, ya trae {km} km
  | Oye, la {auto} {placa} ya va pasada de su servicio de {kms}
@ 1-3d
x> {holan}, te la recibo {dia} a las {hora} en {sucursal}. Orden {orden}.
  | Claro. {dia_m} a las {hora} tengo rampa de flotillas. ¿La lleva el operador?
  | Te aparto {dia}, {hora}. Con prioridad sale en 4 horas.
x< {ok}, la lleva {chofer}
  | Va, avísame cuando llegue el chofer
  | De una vez revisen {pieza}
x> Anotado. {fin}
  | {ok_s} Te mando el avance por aquí.
cita v< Ingresa {auto} {placa} con {chofer}, {km} km. Servicio de {kms} km, orden {orden}. Revisar
  {pieza}.
  | Recepción flotilla: {placa}, tres cuartos de tanque. Trae herramienta de la empresa, se
  inventaría.
1-3h x> La {placa} ya está en rampa. Además del servicio requiere {pieza}, {costo2}. ¿Autorizas?
  [foto {placa}-rampa.jpg]
  | Avance {orden}: aceite y filtros listos. Hay que cambiar {pieza}: {costo2}.
  | Va a la mitad. Llantas al 40 %: ¿las cambio ahora por {costo2} o esperamos?
x< Autorizado, cárgalo a la cuenta
  | ¿No estaba incluido en el contrato?
  | Autoriza finanzas, te confirmo en 10
=x> Gracias. Entra en la factura del mes.
  | Por contrato se cubre la mano de obra; solo pagas la pieza.
  | {ok_s} Espero tu confirmación.
=5-40m x< {ok}, ¿a qué hora sale?
  | Ah, está bien. Adelante
  | Dicen que sí, pero con factura por separado
1-4h x> Lista la {placa}. Puede pasar {chofer} hasta las {cierre}.
  | Terminada la {auto} {placa}. Kilometraje de salida {km}.
x< {ok}, va para allá
  | Mañana la recogemos temprano
  | 👍 {gracias}
20-90m v< {chofer} recogió la {placa}. Se entrega copia de la orden {orden}.
  | Salida de la {auto} {placa}, sin pendientes.

== flota_grupo | Flotillas
g< Buenos días a todos. ¿Qué unidades están hoy en taller?
  | Equipo, ¿ya salió la {placa}? La necesito en ruta
  | ¿Quién lleva mañana la {auto} {placa}?
=g> Hoy tenemos la {placa} en servicio y la {placa2} lista para recoger.
  | La {placa} sale a las {hora_libre}. La {placa2} ya está lista.
  | La trae {chofer}. Y aviso: la {placa2} queda lista antes de comer.
?g< Gracias. {chofer} pasa por la {placa2}
  | La {placa2} que se quede lavada por favor
  | Ojo, la {placa} trae la verificación vencida
&g> Enterado, así lo hacemos.
  | De acuerdo, lo vemos hoy.

== flota_correo | Flotillas
e> [cc] Estado de mantenimiento de {empresa}, {mes} // Estimados:¶¶Adjunto la tabla de unidades con
  servicio próximo. La {auto} {placa} y la {placa2} son las más urgentes.¶¶Propongo recibirlas a
  partir del {fecha}. {firma} [doc mantenimiento-{mes}.xlsx]
  | [cc] Plan de servicios {mes} // {holan}:¶¶Va el calendario del mes: {flota_n} unidades, dos por
  día.
  Costo estimado {toma} más IVA. {firma} [doc plan-{mes}.xlsx] [pdf tarifas.pdf]
  | [cc] Reporte de costos por unidad, {mes} // Buen día:¶¶El costo por kilómetro bajó 6 %. La
  {placa}
  sigue siendo la más cara; recomiendo reemplazo. {firma} [doc costos-{mes}.xlsx]
2-26h e< [cc] // {hola}, {asesor}:¶¶De acuerdo con las fechas, salvo la {placa}, que está en Puebla
  hasta
  el lunes. {firma_c}
  | [cc] // Copio a contabilidad para que prepare la orden de compra. {firma_c}
  | [cc] // ¿Puedes separar refacciones de mano de obra? {firma_c}
=e> [cc] // {holan}:¶¶Ajustado, muevo la {placa} a la semana siguiente. {firma}
  | [cc] // {holan}:¶¶Gracias. Con la orden de compra empezamos ese mismo día. {firma}
  | [cc] // {holan}:¶¶Adjunto la versión separada. {firma} [doc desglose-{folio}.xlsx]
?3-20h e< [cc] // Autorizado. Orden de compra {folio} adjunta. {firma_c} [pdf oc-{folio}.pdf]
  | [cc] // Gracias, queda aprobado por dirección. {firma_c}
&e> [cc] // Recibida. Empezamos el {fecha}. {firma}
  | [cc] // Gracias. La cargo al contrato {factura}. {firma}

== flota_compra | Flotillas | campaña
f< Necesitamos cotizar {flota_n} unidades {modelo_flota} para reparto, arrendamiento o contado.
  | Empresa con {flota_n} vehículos busca renovar parque. Interesa {modelo_flota}.
1-5h l> answered 240-900
10-60m e> [cc] Propuesta {folio}: {flota_n} unidades {modelo_flota} // Estimados:¶¶Gracias por su
  tiempo.
  Propongo {flota_n} {modelo_flota} con descuento de flotilla, entrega escalonada y contrato de
  mantenimiento. Precio unitario {precio_flota}. {firma} [pdf propuesta-{folio}.pdf]
  [doc corrida-{folio}.xlsx]
  | [cc] {empresa}: renovación de parque // {holan}:¶¶Adjunto tres escenarios: contado, crédito y
  arrendamiento a {plazo} meses. {firma} [pdf escenarios-{folio}.pdf]
1-3d e< [cc] // {hola}:¶¶Nos interesa el arrendamiento. ¿Incluye llantas y seguro? {firma_c}
  | [cc] // Buen día. Dirección pide una unidad de prueba por una semana. {firma_c}
=e> [cc] // {holan}:¶¶Sí, ambos, y unidad sustituta en 24 horas. {firma}
  | [cc] // {holan}:¶¶Con gusto, la entrego el {fecha}. Solo requiero carta responsiva. {firma}
  [pdf responsiva.pdf]
@ 2-5d
1-2d l> answered 180-600
cita v> Visita a sus oficinas con la unidad de demostración. Asisten compras y operaciones. Piden
  caja con aislamiento. Siguiente paso: propuesta final.
  | Reunión en sus instalaciones: recorrido del patio y conteo de unidades a tomar a cuenta.
1-2d x> {holan}, ya tengo la propuesta final con caja seca. Te la envío al correo.
  | {nombre}, dirección comercial aprobó el descuento extra.
x< Excelente, la presentamos el jueves al comité
  | {gracias_m}. Danos hasta fin de mes
x> Perfecto. {fin}
  | {claro}. Preparo la simulación por si la piden.

== flota_auxilio | Flotillas
l< answered 45-150
30-120s x< Se quedó la {placa} en {lugar}, no arranca
  | La {auto} {placa} está parada en {lugar}, echa humo
  | {chofer} ponchó dos llantas en {lugar}
20-60s x< [foto ubicacion-{placa}.jpg]
  | Trae mercancía refrigerada, urge
1-5m x> Ya va la grúa, llega en 35 minutos. ¿{chofer} está en lugar seguro?
  | Mando auxilio vial. Folio {folio}. Que ponga las intermitentes.
x< Sí, está en el acotamiento
  | Sí, ya le hablé
25-60m x< Ya llegó la grúa
  | ¿A qué taller la llevan?
x> La recibimos en {sucursal}, orden {orden}.
  | Va a {sucursal}. En una hora te digo qué tiene.
1-4h l> answered 80-260
5-20m x> Diagnóstico de la {placa}: hay que cambiar {pieza}. Presupuesto {costo2}, mañana queda.
  | Ya la revisamos: falló {pieza}. Sale hoy mismo por {costo2}.
x< Dale
  | Autorizado. ¿Tienen unidad sustituta?
=x> En proceso, {nombre}. {fin}
  | {ok_s} Te mando la sustituta a las {hora_libre}.

== flota_cuenta | Flotillas
e< [cc] Aclaración del estado de cuenta {mes} // {hola}:¶¶En el corte aparece dos veces la orden
  {orden}.
  ¿Lo revisas? {firma_c} [pdf estado-{mes}.pdf]
  | [cc] Programación de pagos {mes} // Buen día:¶¶Pagamos el viernes las facturas {folio} y
  {factura}.
  Falta el XML de una. {firma_c}
=e> [cc] // {holan}:¶¶Tienes razón, se duplicó. Emitimos nota de crédito por {costo2}. {firma}
  [pdf nota-{folio}.pdf]
  | [cc] // {holan}:¶¶Adjunto el XML faltante. {firma} [doc {factura}.xml]
=2-40h e< [cc] // Gracias, conciliado. {firma_c}
  | [cc] // Recibido, queda programado. {firma_c}
e> [cc] // Excelente. {firma}
  | [cc] // Gracias, {nombre}. {firma}

== flota_rapida | Flotillas
x< ¿Ya está la {placa}?
  | ¿Cuántos km le faltan a la {placa} para servicio?
  | ¿Me mandas la última factura de la {placa}?
  | ¿Quién firmó la salida de la {placa}?
=x> A las {hora_libre} sale, {nombre}.
  | Unos 1,800 km. Te conviene programarla para {dia_prox}.
  | Ahí va. [pdf factura-{factura}.pdf]
  | Firmó {chofer}. Te mando la hoja. [foto salida-{placa}.jpg]
x< {ok}
  | {gracias} 👌
  | Recibido
?x< Oye, ¿y la {placa2}?  | Y la {placa2} que ya no la dejen sin gasolina 😂
&x> {ok_s} {fin}
  | Anotado. {fin}

== broker_caso | Posventa
x< {hola}, te mando un cliente: siniestro {folio}, {auto} placas {placa}
  | {hola}, va otro ingreso de {aseguradora}, el {folio}. Golpe en {golpe}
  | Buenas, ¿tienen espacio en hojalatería para un {auto}? Siniestro {folio}
20-70s x< [pdf volante-{folio}.pdf] [foto dano-{folio}.jpg]
  | Es afectado, sin deducible
x> {holan}, claro. Que llegue {dia_prox} antes de las 11.
  | Recibido el {folio}. Lo valuamos el mismo día.
  | Sí hay espacio. Apartado a nombre de tu asegurado.
1-2d x> Ya ingresó el {placa}. Valuación preliminar {costo2}. [pdf valuacion-{folio}.pdf]
  | Valuado el {folio}: {dias} días de reparación desde que lleguen las piezas.
x< {ok}, la subo al portal
  | ¿Pueden bajarle un poco a la mano de obra?
  | {aseguradora} pide foto del número de serie
=x> {ok_s} {fin}
  | Dejo la mano de obra en tarifa de convenio.
  | Aquí está. [foto serie-{placa}.jpg]
1-3d x< Autorizado el {folio} 👍
  | Ya lo autorizaron, solo rechazaron {pieza}
=x> Pedimos piezas hoy. Fecha compromiso: {fecha}.
  | Sin problema, esa la ajustamos. Entrega el {fecha}.
?4-7d l< {contesta_in} 40-200
&1-9m x> Te marqué: el {placa} ya está en pintura.
  | Vi tu llamada. El {folio} se entrega {dia_prox}.
3-5d x> Terminado y entregado el {folio}. Asegurado conforme. [pdf finiquito-{folio}.pdf]
  | Salió el {placa}. Te mando el finiquito firmado. [pdf finiquito-{folio}.pdf]
x< {gracias_m}, eres lo máximo
  | Recibido, lo cierro de mi lado
x> ¡A la orden!
  | {fin}

== proveedor | Refacciones
e< Lista de precios {mes} // Estimados:¶¶Adjunto la lista actualizada de aceites y filtros. Entrega
  en
  48 horas. {firma_c} [doc lista-{mes}.xlsx]
  | Aviso de embarque {folio} // Buen día:¶¶Su pedido {folio} sale mañana: 12 cajas. {firma_c}
  [pdf remision-{folio}.pdf]
  | Factura {factura} vencida // Buen día:¶¶Les recuerdo la factura {factura} por {costo2}.
  {firma_c}
  [pdf factura-{factura}.pdf]
=3-26h e> // {holan}:¶¶Recibido, gracias. ¿Respetas el precio anterior en el pedido en curso?
  {firma}
  | // {holan}:¶¶Lo esperamos en almacén de 9 a 13. {firma}
  | // {holan}:¶¶Queda programada para el viernes. {firma}
?=2-20h e< // Sí, se respeta hasta fin de mes. {firma_c}
  | // Perfecto, así se lo indico al transportista. {firma_c}
  | // Confirmado, muchas gracias. {firma_c}
&e> // Gracias, {nombre}. {firma}
?1-2d o< Dejó en recepción un paquete con {pieza}, remisión {folio}.
  | Mensajería entregó el pedido {folio}; faltó una caja.
&1-5h l> answered 60-200

== equivocado | Ventas
s< Ya estoy afuera, ¿sales?
  | ¿Es la florería? Quiero un arreglo para el sábado
s> Hola, te comunicas a Colibrí Automotriz. Creo que es número equivocado 🙂
  | Buen día, este es el número de una agencia de autos. ¿Buscabas a alguien más?
s< Perdón, me equivoqué
  | Ay, disculpe
s> No te preocupes, ¡buen día!

== vacante | Ventas
x< {hola}, vi que buscan asesores de ventas. ¿A dónde mando mi currículum?
x> {holan}, gracias por tu interés. Mándalo por aquí o a contacto@colibri.example.mx.
x< [pdf cv-{nombre}.pdf]
x> Recibido, lo paso a Recursos Humanos. Si avanza te llaman esta semana.

== oculto | Ventas
l< missed 0
4-9m l< missed 0
?1-20d l< answered 12-40
"""
